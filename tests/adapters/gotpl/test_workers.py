"""Workers are started, used again, replaced and ended, and have no rights."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.gotpl.functions import functions
from adapters.gotpl.renderer import SubprocessRenderer
from application.ports import Overloaded, Rendering, SectionSource
from tests.adapters.gotpl.asking import (
    ENDLESS,
    SHORT,
    becomes_true,
    fault_of,
    is_running,
    rendered,
    section,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def processor_ticks(pid: int) -> int:
    """Hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


async def busy(renderer: SubprocessRenderer) -> tuple[int, asyncio.Task[Rendering]]:
    """A worker, and the request whose second of three sections it cannot end."""
    await rendered(renderer, "a: 1")
    pid = next(iter(renderer.idle_workers))
    before = processor_ticks(pid)
    sections = [section("a: 1", "first"), section(ENDLESS, "second"), section("c: 3", "third")]
    request = asyncio.create_task(renderer.render(sections, {}))
    await becomes_true(lambda: processor_ticks(pid) > before + 5)
    return pid, request


async def test_a_worker_that_hangs_is_killed_and_the_section_is_named() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        os.kill(pid, signal.SIGSTOP)
        rendering = await request
        assert rendering.texts == {"first": "a: 1\n"}
        assert rendering.faults[0].section == "second"
        assert "does not come to an end within 3.2 seconds" in rendering.faults[0].detail
        await becomes_true(lambda: not is_running(pid))
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}


async def test_a_worker_that_is_killed_ends_one_section_and_not_the_others() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        os.kill(pid, signal.SIGKILL)
        rendering = await request
        assert rendering.texts == {"first": "a: 1\n", "third": "c: 3\n"}
        (fault,) = rendering.faults
        assert (fault.section, fault.detail) == (
            "second",
            "took more memory or time than it may, and was ended",
        )


async def test_a_worker_that_has_no_memory_left_is_replaced() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        (pid,) = renderer.idle_workers
        await fault_of(renderer, "{{ repeat 2000000000 `x` }}")
        assert renderer.idle_workers == []
        await becomes_true(lambda: not is_running(pid))
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        assert renderer.idle_workers != [pid]


async def test_a_worker_that_died_while_idle_is_replaced_without_a_fault() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        pid = next(iter(renderer.idle_workers))
        os.kill(pid, signal.SIGKILL)
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        assert renderer.idle_workers != [pid]


async def test_a_request_that_is_given_up_frees_its_worker() -> None:
    async with SubprocessRenderer(workers=1, limits=SHORT) as renderer:
        pid, request = await busy(renderer)
        request.cancel()
        assert (await rendered(renderer, "a: 2")).texts == {"resources": "a: 2\n"}
        await becomes_true(lambda: not is_running(pid))


async def test_too_many_waiting_requests_are_turned_away() -> None:
    async with SubprocessRenderer(workers=1, waiting=1, limits=SHORT) as renderer:
        _, first = await busy(renderer)
        waiting = asyncio.create_task(rendered(renderer, "a: 1"))
        await becomes_true(lambda: renderer.waiting_requests == 1)
        with pytest.raises(Overloaded):
            await rendered(renderer, "a: 2")
        assert (await waiting).texts == {"resources": "a: 1\n"}
        assert (await first).faults


async def test_a_tenant_whose_templates_spin_leaves_a_worker_to_the_others() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        spinning = [
            asyncio.create_task(renderer.render([section(ENDLESS)], {}, tenant="spins"))
            for _ in range(4)
        ]
        await becomes_true(lambda: renderer.waiting_requests == 3)
        done = await renderer.render([section("a: 1")], {}, tenant="other")
        assert done.texts == {"resources": "a: 1\n"}
        assert not any(task.done() for task in spinning)
        for task in spinning:
            task.cancel()
        await asyncio.wait(spinning)


async def test_a_warm_worker_is_used_again() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await rendered(renderer, "a: 1")
        first = renderer.idle_workers
        await rendered(renderer, ENDLESS)
        assert renderer.idle_workers == first


async def test_a_worker_without_work_ends() -> None:
    async with SubprocessRenderer(limits=SHORT, idle_seconds=0.01) as renderer:
        await rendered(renderer, "a: 1")
        pids = renderer.idle_workers
        await becomes_true(lambda: not renderer.idle_workers)
        await becomes_true(lambda: not any(map(is_running, pids)))


async def test_no_worker_is_left_when_the_renderer_closes() -> None:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        await asyncio.gather(
            *(renderer.render([section("a: 1")], {}, tenant=tenant) for tenant in ("a", "b"))
        )
        pids = renderer.idle_workers
        assert len(pids) == 2
    assert not any(map(is_running, pids))


def status_of(pid: int) -> Mapping[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_every_function_works_without_loading_anything(renderer: SubprocessRenderer) -> None:
    """A worker can open nothing any more, so what a function needs must be there already."""
    arguments = ["", "`a`", "1", "`1.2.3` `a`", "1 2", "(list 1 2)", "(dict `a` 1)", "`a` `b` `c`"]
    sources = [f"{{{{ {name} {rest} }}}}" for name in functions() for rest in arguments]
    sections = [SectionSource(source, source, is_yaml=False) for source in sources]
    rendering = await renderer.render(sections, {})
    assert len(rendering.texts) > len(functions())
    for fault in rendering.faults:
        assert not re.search("import|module|open|denied|permitted|Errno", fault.detail), fault


async def test_a_worker_has_neither_rights_nor_files_nor_surroundings(
    renderer: SubprocessRenderer,
) -> None:
    await rendered(renderer, "a: 1")
    pid = next(iter(renderer.idle_workers))
    status = status_of(pid)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert os.getsid(pid) == pid
    assert sorted(path.name for path in Path(f"/proc/{pid}/fd").iterdir()) == ["0", "1"]
    assert Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[0] == b"TZ=UTC"
    if os.geteuid() == 0:
        assert "0" not in status["Uid"].split()
        assert status["CapEff"] == "0000000000000000"
