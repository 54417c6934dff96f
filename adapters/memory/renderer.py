"""A renderer that knows one thing: to put a value where its name stands."""

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from application.ports import RenderFault, Rendering, SectionSource
from domain.secrets import Secret

ENGINE = "plain 1"
NAME = re.compile(r"\{\{ \.(\w+) \}\}")


class PlainRenderer:
    """ports.Renderer for sections such as `size: {{ .size }}`; they are not parsed."""

    async def render(
        self,
        sections: Sequence[SectionSource],
        values: Mapping[str, Any],
        *,
        tenant: Hashable = None,  # noqa: ARG002
    ) -> Rendering:
        faults = [fault for section in sections for fault in _faults(section, values)]
        texts = {} if faults else {s.name: _filled(s.source, values) for s in sections}
        return Rendering(texts, {name: [] for name in texts}, faults, ENGINE)


def _filled(source: str, values: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        known = values[found[1]]
        return known.reveal() if isinstance(known, Secret) else str(known)

    return NAME.sub(value, source)


def _faults(section: SectionSource, values: Mapping[str, Any]) -> list[RenderFault]:
    return [
        RenderFault(section.name, f"There is no value {found[1]}.", line, found.start() + 1)
        for line, text in enumerate(section.source.splitlines(), start=1)
        for found in NAME.finditer(text)
        if values.get(found[1]) is None
    ]
