"""A host that goes away under a script, comes back, stays away, or forgets: the end is right."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from application.ports import Continue, LogLine, Operation, OperationRequest, Report, TracesLost
from tests.adapters.contracts.installer_stories import (
    ONCE,
    ONCE_LINES,
    Place,
    end_of,
    eventually,
    line,
    phase,
    resumed,
    tell,
)
from tests.adapters.ssh.places import place_on
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow

QUICK = Timings(
    connect_seconds=1, keepalive_seconds=0.2, patience_seconds=1, longest_pause_seconds=0.2
)


@pytest.fixture
def installer() -> SSHInstaller:
    return SSHInstaller(QUICK)


@pytest.fixture
def place(ssh_host: SshHost) -> Iterator[Place]:
    place = place_on(ssh_host)
    yield place
    kill_all_on(place)


def kill_all_on(place: Place) -> None:
    """What a power cut does to the processes of a host: none sees another one end."""
    for sign in (signal.SIGSTOP, signal.SIGKILL):
        for pid in processes_on(place):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)


def processes_on(place: Place) -> Iterator[int]:
    mark = f"HOME={place.home}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def when(seen: Callable[[Report], bool], do: Callable[[], object]) -> Callable[[Report], bool]:
    """Something happens to the world when a report is seen; the operation goes on."""
    done: list[bool] = []

    def watch(report: Report) -> bool:
        if seen(report) and not done:
            done.append(True)
            do()
        return False

    return watch


def note_with(words: str) -> Callable[[Report], bool]:
    return lambda report: isinstance(report, LogLine) and words in report.text


async def test_a_host_that_comes_back_in_time_is_followed_on(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    go_away = when(line("line 5"), ssh_host.stop)
    come_back = when(note_with("Trying again"), ssh_host.start)
    story = await tell(
        installer,
        place.install(phase("once", ONCE)),
        leave_when=lambda report: go_away(report) or come_back(report),
    )
    assert story.finished.error is None
    assert place.read("ran") == "ran\n"
    assert story.output("once") == ONCE_LINES
    assert "went away" in story.notes("once")
    assert "is back" in story.notes("once")


async def test_connections_that_are_cut_are_made_again(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    cuts = [when(line(f"line {n}"), ssh_host.cut_connections) for n in (3, 11, 19)]
    story = await tell(
        installer,
        place.install(phase("once", ONCE)),
        leave_when=lambda report: any(cut(report) for cut in cuts),
    )
    assert story.finished.error is None
    assert place.read("ran") == "ran\n"
    assert story.output("once") == ONCE_LINES


async def test_a_host_that_hangs_and_wakes_up_is_followed_on(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    hang = when(line("line 5"), ssh_host.freeze)
    wake_up = when(note_with("went away"), ssh_host.thaw)
    story = await tell(
        installer,
        place.install(phase("once", ONCE)),
        leave_when=lambda report: hang(report) or wake_up(report),
    )
    assert story.finished.error is None
    assert story.output("once") == ONCE_LINES


async def test_a_host_that_stays_away_leaves_the_scripts_end_unknown(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    request = place.install(phase("long", "echo go; sleep 600", timeout=2))
    story = await tell(installer, request, leave_when=when(line("go"), ssh_host.stop))
    assert story.error.startswith(
        f"Phase long: 127.0.0.1:{ssh_host.port} did not come back within "
    )
    assert "it refuses connections" in story.error
    assert story.error.endswith("Its script may still run there, or it has ended.")
    assert story.finished.is_lost


async def test_a_resumed_task_waits_for_its_host(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    request = place.install(phase("once", ONCE))
    before = await tell(installer, request, leave_when=line("line 3"))
    ssh_host.stop()
    after = await tell(
        installer,
        resumed(request, before),
        leave_when=when(note_with("Trying again"), ssh_host.start),
    )
    assert after.finished.error is None
    assert place.read("ran") == "ran\n"
    assert before.output("once") + after.output("once") == ONCE_LINES


async def test_a_resumed_task_goes_to_the_host_it_began_on(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    request = place.install(phase("once", ONCE))
    before = await tell(installer, request, leave_when=line("line 3"))
    section = list(request.documents["ssh"])
    section.insert(1, section[-1] | {"host": "localhost"})
    again = replace(
        resumed(request, before),
        documents={**request.documents, "ssh": section},
        known_hosts={**request.known_hosts, f"localhost:{ssh_host.port}": ssh_host.host_key},
    )
    after = await tell(installer, again)
    assert after.finished.error is None
    assert place.read("ran") == "ran\n"


STEP = """
echo ran >> "$HOME/ran"; [ -e "$HOME/again" ]; is_first=$?
echo go; [ $is_first = 0 ] || sleep 600; echo end
"""
PATIENT = 'echo ran >> "$HOME/ran"; echo go; until [ -e "$HOME/again" ]; do sleep 0.05; done'


async def begun(
    installer: SSHInstaller, place: Place, script: str = STEP, **step: object
) -> OperationRequest:
    """What the next manager is asked, when a script runs on the host and its manager is dead."""
    request = place.install(phase("before", "true"), phase("step", script, **step))
    story = await tell(installer, request, leave_when=line("go"))
    (place.home / "again").touch()
    return resumed(request, story)


async def test_a_script_that_vanished_with_its_hosts_power_is_run_again(
    installer: SSHInstaller, place: Place
) -> None:
    request = await begun(installer, place)
    kill_all_on(place)
    story = await tell(installer, request)
    assert story.finished.error is None
    assert place.read("ran") == "ran\nran\n"
    assert "Its process has vanished" in story.notes("step")
    assert story.output("step") == ["go", "end"]
    assert [each.offset for each in story.of(LogLine) if each.text == "go"] == [6]


async def test_a_critical_script_that_vanished_is_lost_and_not_run_again(
    installer: SSHInstaller, place: Place
) -> None:
    request = await begun(installer, place, critical=True)
    kill_all_on(place)
    story = await tell(installer, request)
    assert story.finished.is_lost
    assert story.error.startswith(
        "Phase step is critical and nobody can say how it ended: its process on 127.0.0.1:"
    )
    assert place.read("ran") == "ran\n"


async def test_a_host_that_was_started_anew_is_known_by_its_boot(
    installer: SSHInstaller, place: Place
) -> None:
    request = await begun(installer, place)
    (claim,) = place.home.rglob("step/script.1/claim")
    boot, begun_at = claim.read_text().split()
    claim.write_text(f"another-{boot} {begun_at}\n")
    story = await tell(installer, request)
    assert story.finished.error is None
    assert place.read("ran") == "ran\nran\n"


async def test_a_host_that_was_installed_anew_runs_the_phase_again(
    installer: SSHInstaller, place: Place
) -> None:
    request = await begun(installer, place)
    kill_all_on(place)
    shutil.rmtree(place.home / ".quarterdeck")
    story = await tell(installer, request)
    assert story.finished.error is None
    assert "knows nothing of the task" in story.notes("step")
    assert story.output("step") == ["go", "end"]
    assert story.offsets == {"step": 10}


async def test_a_host_that_was_installed_anew_under_a_critical_phase_makes_it_lost(
    installer: SSHInstaller, place: Place
) -> None:
    request = await begun(installer, place, critical=True)
    kill_all_on(place)
    shutil.rmtree(place.home / ".quarterdeck")
    story = await tell(installer, request)
    assert story.finished.is_lost
    assert "it was probably installed anew" in story.error
    assert place.read("ran") == "ran\n"


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("knows_of_the_script", [True, False])
async def test_who_comes_back_after_another_has_ended_and_cleaned_up_runs_nothing(
    installer: SSHInstaller, place: Place, knows_of_the_script: bool, critical: bool
) -> None:
    request = await begun(installer, place, PATIENT, critical=critical)
    assert (await tell(installer, request)).finished.error is None
    too_late = replace(request, is_resumed=knows_of_the_script)
    story = await tell(installer, too_late, answer=stop_what_was_taken_over)
    assert (story.finished.cancelled, story.finished.is_lost) in [(True, False), (False, True)]
    assert story.finished.is_lost == (critical and knows_of_the_script)
    assert place.read("ran") == "ran\n"


def stop_what_was_taken_over(operation: Operation, question: Report) -> None:
    is_ours = not isinstance(question, TracesLost)
    operation.answer(Continue.NEXT_PHASE if is_ours else Continue.STOP_OPERATION)


async def test_a_critical_phase_that_was_never_begun_is_begun_by_the_next_manager(
    installer: SSHInstaller, place: Place
) -> None:
    request = place.install(phase("first", "true"), phase("step", "echo go", critical=True))
    before = await tell(installer, request, leave_when=end_of("first"))
    after = await tell(installer, resumed(request, before))
    assert after.finished.error is None
    assert after.output("step") == ["go"]


async def test_a_host_that_starts_anew_again_and_again_is_given_up(
    installer: SSHInstaller, place: Place
) -> None:
    def power_cut(report: Report) -> bool:
        if line("go")(report):
            kill_all_on(place)
        return False

    request = place.install(phase("step", "echo go; sleep 600"))
    story = await tell(installer, request, leave_when=power_cut)
    assert story.error == f"Phase step has vanished from {_address(place)} 5 times."
    assert story.output("step") == ["go"] * 5


async def test_a_cancellation_that_cannot_reach_the_host_says_so(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    request = place.install(phase("step", "echo go; sleep 600"))
    story = await tell(
        installer,
        request,
        leave_when=when(line("go"), ssh_host.stop),
        cancel_when=note_with("Trying again"),
    )
    assert story.finished.cancelled
    assert story.error == (
        "Cancelled, but the script may run on until its time is up: the host refuses connections."
    )


async def test_a_cancellation_reaches_a_host_whose_connection_was_cut(
    installer: SSHInstaller, place: Place, ssh_host: SshHost
) -> None:
    request = place.install(phase("step", "echo $$ > $HOME/pid; echo go; exec sleep 600"))
    story = await tell(
        installer,
        request,
        leave_when=when(line("go"), ssh_host.cut_connections),
        cancel_when=note_with("went away"),
    )
    assert story.finished.cancelled
    assert story.finished.error is None
    script = Path("/proc", place.read("pid").strip())
    await eventually(lambda: not script.exists(), "the script is gone")


def _address(place: Place) -> str:
    (address,) = place.known_hosts
    return address
