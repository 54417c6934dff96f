"""What workers answered, told in the words of the port, with every secret taken out of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from adapters.gotpl.frames import Frame
from application.ports import RenderFault, Rendering, SectionSource
from domain.secrets import MASK, Secret

_LONGEST_DETAIL = 500
_SHORTEST_SECRET = 4
"""Shorter ones are in too many words."""


@dataclass(slots=True, frozen=True)
class Veil:
    """The texts that no sentence may quote, the longest first."""

    hidden: Sequence[str]

    @classmethod
    def over(cls, values: Mapping[str, Any]) -> Self:
        texts = {text for value in values.values() for text in _secrets_in(value)}
        lines = {line.strip() for text in texts for line in text.splitlines()}
        long = (text for text in texts | lines if len(text) >= _SHORTEST_SECRET)
        return cls(sorted(long, key=len, reverse=True))

    def told(self, detail: str) -> str:
        """One line of a bounded length."""
        for text in self.hidden:
            detail = detail.replace(text, MASK)
        line = " ".join(detail.split())
        return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"


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
    sections: Sequence[SectionSource], answers: Sequence[Frame], veil: Veil, engine: str
) -> Rendering:
    """The answers by section."""
    named = list(zip((section.name for section in sections), answers, strict=True))
    return Rendering(
        texts={name: a["text"] for name, a in named if a["text"] is not None},
        documents={name: a["documents"] for name, a in named if a["documents"] is not None},
        faults=[_fault(name, a["fault"], veil) for name, a in named if a["fault"] is not None],
        engine=engine,
    )


def _fault(section: str, fault: Frame, veil: Veil) -> RenderFault:
    detail = veil.told(fault["detail"])
    return RenderFault(section, detail, fault["line"], fault["column"])
