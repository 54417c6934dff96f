"""A renderer that knows one thing: to put a value where its name stands."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from application.ports import RenderFault, Rendering, SectionSource

ENGINE = "plain 1"
NAME = re.compile(r"\{\{ \.(\w+) \}\}")


class PlainRenderer:
    """ports.Renderer for sections such as `size: {{ .size }}`; they are not parsed."""

    async def render(
        self, sections: Sequence[SectionSource], values: Mapping[str, Any]
    ) -> Rendering:
        faults = [fault for section in sections for fault in _faults(section, values)]
        texts = {} if faults else {s.name: _filled(s.source, values) for s in sections}
        return Rendering(texts, {name: [] for name in texts}, faults, ENGINE)


def _filled(source: str, values: Mapping[str, Any]) -> str:
    return NAME.sub(lambda found: str(values[found[1]]), source)


def _faults(section: SectionSource, values: Mapping[str, Any]) -> list[RenderFault]:
    return [
        RenderFault(section.name, f"There is no value {found[1]}.", line, found.start() + 1)
        for line, text in enumerate(section.source.splitlines(), start=1)
        for found in NAME.finditer(text)
        if found[1] not in values
    ]
