"""A script runs once on its host, whatever it prints, leaves behind or asks for."""

import asyncio
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.ssh.installer import SSHInstaller
from application.ports import LogLine, PhaseEnded, Report
from domain.values import OperationKind
from tests.adapters.contracts.installer_stories import (
    ONCE,
    ONCE_LINES,
    Place,
    line,
    phase,
    tell,
)
from tests.adapters.ssh.places import place_on
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow


@pytest.fixture
def place(ssh_host: SshHost) -> Place:
    return place_on(ssh_host)


async def test_a_flood_of_output_is_read_to_its_end_and_kept_up_to_the_limit(place: Place) -> None:
    flood = "head -c 100000000 /dev/zero | tr '\\0' x; echo $? > $HOME/status"
    story = await tell(SSHInstaller(), place.install(phase("flood", flood)))
    assert story.finished.error is None
    assert place.read("status") == "0\n"
    assert sum(len(text) for text in story.output("flood")) == 8 * 1024 * 1024
    assert max(len(text) for text in story.output("flood")) == 8 * 1024
    assert "91,611,392 bytes" in story.notes("flood")


async def test_a_slow_follower_slows_the_reading_and_not_the_script(place: Place) -> None:
    script = "seq 1 200000; echo done > $HOME/done"
    told = 0
    async with SSHInstaller().open(place.install(phase("count", script))) as operation:
        async for report in operation:
            is_line = isinstance(report, LogLine) and report.offset is not None
            told += is_line
            if is_line and told == 1:
                async with asyncio.timeout(10):
                    while not place.read("done"):
                        await asyncio.sleep(0.01)
            if isinstance(report, PhaseEnded):
                operation.answer("next_phase")
    assert told == 200000


async def test_bytes_that_are_no_text_become_lines_that_can_be_stored(place: Place) -> None:
    script = "head -c 300000 /dev/urandom"
    story = await tell(SSHInstaller(), place.install(phase("noise", script)))
    assert story.finished.error is None
    assert story.offsets == {"noise": 300000}
    for text in story.output("noise"):
        assert "\0" not in text
        text.encode()


async def test_lines_come_while_the_script_runs(place: Place) -> None:
    delays = []

    def note(report: Report) -> bool:
        if isinstance(report, LogLine) and report.offset is not None:
            delays.append(time.time() - float(report.text))
        return False

    script = "for n in 1 2 3 4 5 6 7 8 9 10; do date +%s.%N; sleep 0.1; done"
    await tell(SSHInstaller(), place.install(phase("clock", script)), leave_when=note)
    assert sorted(delays)[len(delays) // 2] < 0.5


async def test_what_a_script_leaves_running_is_not_waited_for(place: Place) -> None:
    script = "(sleep 20; echo late) & echo $! > $HOME/daemon; echo now"
    before = time.monotonic()
    story = await tell(SSHInstaller(), place.install(phase("daemon", script)))
    assert story.output("daemon") == ["now"]
    assert time.monotonic() - before < 15
    os.kill(int(place.read("daemon")), 15)


async def test_a_script_has_the_logins_umask_the_given_shell_and_no_input(place: Place) -> None:
    script = "umask; cat; [[ -n $BASH_VERSION ]] && echo bash; pwd"
    story = await tell(SSHInstaller(), place.install(phase("look", script), shell="/bin/bash"))
    umask, *rest = story.output("look")
    assert umask != "0077"
    assert rest == ["bash", str(place.home)]


async def test_no_secret_is_on_a_command_line_or_readable_by_others(place: Place) -> None:
    script = "echo go; : planted-in-script; sleep 1"
    modes, lines = [], []

    def spy(report: Report) -> bool:
        if line("go")(report):
            modes.extend(oct(each.stat().st_mode & 0o077) for each in place.home.rglob("*/**"))
            lines.extend(_command_lines())
        return False

    request = place.install(phase("first", script), env={"PASSWORD": "planted-in-env"})
    story = await tell(SSHInstaller(), request, leave_when=spy)
    assert story.finished.error is None
    assert set(modes) == {"0o0"}
    assert not [each for each in lines if "planted" in each]


async def test_variables_do_not_stay_on_the_host_after_a_failure(place: Place) -> None:
    request = place.install(phase("first", "exit 1"), env={"PASSWORD": "planted-in-env"})
    await tell(SSHInstaller(), request)
    kept = [each for each in place.home.rglob("*") if each.is_file()]
    assert kept
    assert not [each for each in kept if b"planted" in each.read_bytes()]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo no assignment >> $QUARTERDECK_STATE",
            "line 1 of $QUARTERDECK_STATE is not KEY=value",
        ),
        (
            "head -c 70000 /dev/zero >> $QUARTERDECK_STATE",
            "Phase first wrote more than 64 KiB to $QUARTERDECK_STATE.",
        ),
    ],
)
async def test_what_a_script_writes_down_is_few_assignments(
    place: Place, script: str, sentence: str
) -> None:
    story = await tell(SSHInstaller(), place.install(phase("first", script)))
    assert sentence in story.error


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("kill -9 $$", "ended by signal SIGKILL"),
        ("no-such-command", "exit code 127 (command not found)"),
    ],
)
async def test_an_exit_code_is_told_in_words(place: Place, script: str, sentence: str) -> None:
    story = await tell(SSHInstaller(), place.install(phase("first", script)))
    assert f"Phase first failed: {sentence} after " in story.error


async def test_two_managers_at_once_run_a_script_once_and_both_see_all_of_it(place: Place) -> None:
    """It ends when both have seen its beginning: who comes after the end finds no traces of it."""
    seen = 0

    def both_see(report: Report) -> bool:
        nonlocal seen
        seen += line("line 1")(report)
        if seen == 2:
            (place.home / "both").touch()
        return False

    request = place.install(phase("once", f'{ONCE}until [ -e "$HOME/both" ]; do sleep 0.1; done'))
    stories = await asyncio.gather(
        *(tell(SSHInstaller(), request, leave_when=both_see) for _ in range(2))
    )
    assert place.read("ran") == "ran\n", [story.notes("once") for story in stories]
    assert [story.output("once") for story in stories] == [ONCE_LINES, ONCE_LINES]


async def test_folders_of_old_tasks_are_removed_with_a_later_success(place: Place) -> None:
    await tell(SSHInstaller(), place.install(phase("first", "exit 1")))
    await tell(SSHInstaller(), place.install(phase("first", "exit 1")))
    cluster = place.home / ".quarterdeck" / str(place.cluster_id)
    old, recent = cluster.iterdir()
    os.utime(old, (0, 0))
    await tell(SSHInstaller(), place.install(phase("first", "true")))
    assert list(cluster.iterdir()) == [recent]
    await tell(
        SSHInstaller(),
        place.request(OperationKind.DELETE, phase("first", "true"), destroy={"script": "true"}),
    )
    assert not cluster.exists()


needs_sudo = pytest.mark.skipif(
    not shutil.which("sudo") or os.geteuid() != 0,
    reason="It takes the package sudo, and root, whom sudo asks for no password.",
)


@needs_sudo
async def test_a_script_may_run_through_sudo(place: Place) -> None:
    request = place.install(
        phase("root", "echo $SUDO_USER; echo A=1 >> $QUARTERDECK_STATE"), sudo=True
    )
    story = await tell(SSHInstaller(), request)
    assert story.finished.error is None
    assert story.output("root") == ["root"]


@needs_sudo
async def test_a_script_through_sudo_is_cancelled_as_any_other(place: Place) -> None:
    request = place.install(phase("root", "echo go; sleep 600"), sudo=True)
    story = await tell(SSHInstaller(), request, cancel_when=line("go"))
    assert story.finished.cancelled
    assert story.finished.error is None


def _command_lines() -> list[str]:
    texts = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(file.read_text(errors="replace"))
        except OSError:
            continue
    return texts


@pytest.mark.parametrize("leaves_traces", [True, False])
async def test_a_check_that_fails_leaves_its_folder_only_to_those_who_look_at_it(
    place: Place, leaves_traces: bool
) -> None:
    hangs = {"script": "sleep 60", "timeout": "1s"}
    request = place.request(OperationKind.CHECK, phase("first", ":"), check=hangs)
    story = await tell(SSHInstaller(), replace(request, leaves_traces=leaves_traces))
    assert "did not end within 1 s" in story.error
    assert bool(list(place.home.rglob("output"))) is leaves_traces
