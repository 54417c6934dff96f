"""Templates become documents."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True, frozen=True)
class SectionSource:
    """A template section: its name, its source, and whether it is parsed once it is rendered."""

    name: str
    source: str
    is_yaml: bool = True


@dataclass(slots=True, frozen=True)
class RenderFault:
    """Why a section does not render: the sentence, and the line and column of it (from 1)."""

    section: str
    detail: str
    line: int | None = None
    column: int | None = None


@dataclass(slots=True, frozen=True)
class Rendering:
    """What came out: normalised text and parsed documents by section, or the faults."""

    texts: Mapping[str, str]
    documents: Mapping[str, Sequence[Any]]
    faults: Sequence[RenderFault]
    engine: str
    """The engine and its version, kept with the event so that the render can be repeated."""


class Renderer(Protocol):
    """Renders Go templates (with sprig) where they can hurt nobody."""

    async def render(
        self,
        sections: Sequence[SectionSource],
        values: Mapping[str, Any],
        *,
        tenant: Hashable = None,
    ) -> Rendering:
        """Render every section with the same values. One tenant's requests wait for each other;
        those of other tenants do not wait for them.

        A template's own fault, an endless loop, too much memory or output are RenderFaults.
        Raises Overloaded when too many renders of the tenant wait.
        """
        ...
