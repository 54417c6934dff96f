"""What workers answered, told in the words of the port, with every secret taken out of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adapters.gotpl.frames import Frame
from application.ports import RenderFault, Rendering, SectionSource
from domain.redaction import Redactor
from domain.secrets import Secret

_LONGEST_DETAIL = 500
_SHORTEST_SECRET = 4
"""Shorter ones are in too many words."""


def learnt(redactor: Redactor, values: Mapping[str, Any]) -> Iterator[None]:
    """Have the redactor look for every secret among the values; a step for each line of one."""
    for value in values.values():
        for text in _secrets_in(value):
            for hidden in (text, *map(str.strip, text.splitlines())):
                if len(hidden) >= _SHORTEST_SECRET:
                    redactor.add(hidden)
                    yield


def _secrets_in(value: Any) -> Iterable[str]:
    match value:
        case Secret():
            return [value.reveal()]
        case Mapping():
            return [text for item in value.values() for text in _secrets_in(item)]
        case list() | tuple():
            return [text for item in value for text in _secrets_in(item)]
    return []


def rendering(
    sections: Sequence[SectionSource], answers: Sequence[Frame], hidden: Redactor, engine: str
) -> Rendering:
    """The answers by section; no sentence quotes what is hidden."""
    named = list(zip((section.name for section in sections), answers, strict=True))
    return Rendering(
        texts={name: a["text"] for name, a in named if a["text"] is not None},
        documents={name: a["documents"] for name, a in named if a["documents"] is not None},
        faults=[_fault(name, a["fault"], hidden) for name, a in named if a["fault"] is not None],
        engine=engine,
    )


def _fault(section: str, fault: Frame, hidden: Redactor) -> RenderFault:
    detail = _one_line(hidden.pieces(fault["detail"]))
    return RenderFault(section, detail, fault["line"], fault["column"])


def _one_line(pieces: Iterable[str]) -> str:
    """The words of a text in one line of a bounded length; the rest of it is not even looked at."""
    line = ""
    for piece in pieces:
        line = " ".join(f"{line}{piece}".split())
        if len(line) > _LONGEST_DETAIL:
            return f"{line[:_LONGEST_DETAIL]}…"
    return line
