"""A host whose clock is set while a script runs: no time that is told or waited comes from it."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import adapters.ssh
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from tests.adapters.contracts.installer_stories import Place, line, phase, resumed, tell
from tests.adapters.ssh.places import place_on
from tests.adapters.ssh.test_losing_hosts import when
from tests.support.servers import SshHost, sshd

pytestmark = pytest.mark.slow

QUICK = Timings(connect_seconds=2, patience_seconds=5, grace_seconds=1)
DATE = """#!/bin/sh
case $1 in +%s) echo $(($(/bin/date +%s) + $(cat {step}))) ;; *) exec /bin/date "$@" ;; esac
"""


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A file: the seconds by which the host's clock was set off."""
    step = tmp_path / "step"
    step.write_text("0")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "date").write_text(DATE.format(step=step))
    (tools / "date").chmod(0o755)
    return step


@pytest.fixture
def host(tmp_path: Path, clock: Path) -> Iterator[SshHost]:
    """Where every program asks the date of that clock."""
    path = f"{tmp_path}/tools:{os.environ['PATH']}"
    folder = tmp_path / "host"
    with sshd(folder, options=[f"SetEnv HOME={folder}/home PATH={path}"]) as host:
        yield host


@pytest.fixture
def place(host: SshHost) -> Place:
    return place_on(host)


def set_off(clock: Path, seconds: int, then: Callable[[], object]) -> Callable[[], object]:
    def act() -> None:
        clock.write_text(str(seconds))
        then()

    return act


def test_the_clock_is_set_off(clock: Path, tmp_path: Path) -> None:
    def now() -> int:
        date = [f"{tmp_path}/tools/date", "+%s"]
        return int(subprocess.run(date, capture_output=True, check=True).stdout)

    before = now()
    clock.write_text("7200")
    assert 7200 <= now() - before < 7260


@pytest.mark.parametrize("step", [7200, -7200, 40 * 86_400])
async def test_a_clock_that_is_set_changes_neither_the_time_left_nor_what_is_told_of_it(
    host: SshHost, place: Place, clock: Path, step: int
) -> None:
    script = "echo go; sleep 4; echo end; exit 3"
    story = await tell(
        SSHInstaller(QUICK),
        place.install(phase("step", script, timeout="10m")),
        leave_when=when(line("go"), set_off(clock, step, host.cut_connections)),
    )
    assert story.output("step") == ["go", "end"]
    assert story.error.startswith("Phase step failed: exit code 3 after ")
    assert 3 <= int(story.error.split(" after ")[1].split(" s")[0]) <= 8


@pytest.mark.parametrize("step", [7200, -7200])
async def test_the_next_manager_tells_truly_how_long_ago_a_script_was_begun(
    place: Place, clock: Path, step: int
) -> None:
    request = place.install(phase("step", "echo go; sleep 2; echo end", timeout="10m"))
    before = await tell(SSHInstaller(QUICK), request, leave_when=line("go"))
    clock.write_text(str(step))
    story = await tell(SSHInstaller(QUICK), resumed(request, before))
    assert story.finished.error is None
    (found,) = [text for text in story.notes("step").splitlines() if "Found on the host" in text]
    assert found in [f"Found on the host, begun {seconds} s ago." for seconds in range(4)]


async def test_a_script_is_ended_in_its_time_though_the_clock_is_set_back(
    place: Place, clock: Path
) -> None:
    request = place.install(
        phase("step", "trap : TERM; echo go; while :; do sleep 1; done", timeout="2s")
    )
    set_back = when(line("go"), set_off(clock, -7200, lambda: None))
    story = await tell(SSHInstaller(replace(QUICK, grace_seconds=15)), request, leave_when=set_back)
    assert story.error.startswith("Phase step did not end within 2 s and was stopped.")


def test_nothing_of_the_installer_reads_a_clock_that_can_be_set() -> None:
    """Neither here nor there; the example's host, which is served by ourselves, tells dates."""
    folder = Path(adapters.ssh.__file__).parent
    sources = [*folder.glob("*.py"), folder / "toolkit.sh"]
    clocks = re.compile(r"^(import|from) (time|datetime)\b|\bdate [+-]", re.MULTILINE)
    reading = [each.name for each in sources if clocks.search(each.read_text())]
    assert set(reading) <= {"throwaway.py", "example_place.py"}
