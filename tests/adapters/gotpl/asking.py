"""What tests ask of a renderer, and what they wait for."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.gotpl.limits import Limits
from adapters.gotpl.renderer import SubprocessRenderer
from application.ports import RenderFault, Rendering, SectionSource

SHORT = Limits(seconds=4.0)

ENDLESS = "{{ range 1000000000000 }}{{ end }}"


def section(source: str, name: str = "resources") -> SectionSource:
    return SectionSource(name, source)


async def rendered(renderer: SubprocessRenderer, source: str, **values: Any) -> Rendering:
    return await renderer.render([section(source)], values)


async def fault_of(renderer: SubprocessRenderer, source: str, **values: Any) -> RenderFault:
    (fault,) = (await rendered(renderer, source, **values)).faults
    assert fault.section == "resources"
    return fault


async def becomes_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
