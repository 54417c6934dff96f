"""The tables of the READMEs as the code has them: a README that differs is wrong."""

from collections.abc import Iterable
from pathlib import Path

from adapters.settings import PREFIX, Settings
from application.commands import Command
from application.index import HANDLERS
from domain import model


def events() -> str:
    """Topic, class and what the audit calls it, by module."""
    kinds = {kind for kind in model.Event.topics.values() if kind.__module__.startswith("domain.")}
    rows = sorted((k.__module__.split(".")[1], k.topic, k.__name__) for k in kinds)
    return table(["aggregate", "topic", "event"], ((m, f"`{t}`", f"`{n}`") for m, t, n in rows))


def commands() -> str:
    """Command, permission and handler, by module."""
    rows = sorted(
        (command.__module__.split(".")[1], command.__name__, _permission(command), handler.__name__)
        for group in HANDLERS
        for command, handler in group.by_command.items()
    )
    return table(
        ["module", "command", "permission", "handler"],
        ((m, f"`{c}`", f"`{p}`", f"`{h}`") for m, c, p, h in rows),
    )


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _permission(command: type[Command]) -> str:
    return command.permission.value


def settings() -> str:
    """Variable, what it is without it, and what it is for."""
    return table(
        ["variable", "default", "what it is"],
        (
            (f"`{PREFIX}{name.upper()}`", _default(field.default), str(field.description))
            for name, field in Settings.model_fields.items()
        ),
    )


def _default(value: object) -> str:
    return "" if value in (None, "") else f"`{value}`"


TABLES = {
    Path("domain/README.md"): events,
    Path("application/README.md"): commands,
    Path("infra/README.md"): settings,
}


def renew() -> None:
    """Write the tables anew between their marks: `python -m tests.architecture.tables`."""
    for path, made in TABLES.items():
        text = path.read_text()
        head, rest = text.split("<!-- table -->\n", 1)
        _, tail = rest.split("<!-- end -->", 1)
        path.write_text(f"{head}<!-- table -->\n{made()}\n<!-- end -->{tail}")


if __name__ == "__main__":
    renew()
