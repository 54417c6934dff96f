"""Print a stream's history for people, or as JSON lines for programs."""

from datetime import datetime
from typing import Any

import orjson
from pydantic_core import to_jsonable_python
from rich.console import Console

from adapters.operations.administration import administration
from adapters.operations.replay import Step, steps, stream_named
from adapters.settings import Settings


async def print_replay(
    settings: Settings, what: str, at: datetime | None, *, diff: bool, as_json: bool
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    async with administration(settings) as hub:
        stream_id = await stream_named(hub, what)
        async for step in steps(hub, stream_id, at):
            if as_json:
                print(orjson.dumps(as_object(step)).decode())
            else:
                _print_step(console, step, diff=diff)


def as_object(step: Step) -> dict[str, Any]:
    """A step as JSON shows it."""
    recorded = step.recorded
    return {
        "position": recorded.position,
        "stream_id": str(recorded.stream_id),
        "version": recorded.version,
        "topic": recorded.event.topic,
        "recorded_at": recorded.recorded_at.isoformat(),
        "event_id": str(recorded.event_id),
        **recorded.metadata.model_dump(mode="json"),
        "changes": {
            name: [_plain(before), _plain(after)] for name, (before, after) in step.changes.items()
        },
    }


def _plain(value: Any) -> Any:
    return to_jsonable_python(value)


def _print_step(console: Console, step: Step, *, diff: bool) -> None:
    recorded, metadata = step.recorded, step.recorded.metadata
    who = metadata.actor.name or "Quarterdeck"
    origin = f" from {metadata.remote_address}" if metadata.remote_address else ""
    console.print(
        f"[bold]{recorded.position}[/]  {recorded.recorded_at:%Y-%m-%d %H:%M:%S.%f%z}"
        f"  [bold]{recorded.event.topic}[/] v{recorded.version}  {who}{origin}"
    )
    why = {
        "request": metadata.request_id,
        "correlation": metadata.correlation_id,
        "causation": metadata.causation_id,
        "command": metadata.command_id,
    }
    known = "  ".join(f"{name} {value}" for name, value in why.items() if value)
    if known:
        console.print(f"    why: {known}", style="dim")
    for name, (before, after) in step.changes.items():
        _print_change(console, name, before, after, diff=diff)


def _print_change(console: Console, name: str, before: Any, after: Any, *, diff: bool) -> None:
    if not diff:
        console.print(f"    {name}: ", end="", style="dim")
        console.print(_short(after), markup=False)
        return
    if before is not None:
        console.print(f"  - {name}: {_full(before)}", style="red", markup=False)
    if after is not None:
        console.print(f"  + {name}: {_full(after)}", style="green", markup=False)


def _short(value: Any) -> str:
    text = _full(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _full(value: Any) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else orjson.dumps(plain).decode()
