"""A host that lets us in and is of no use, or turns us away, is asked seldom and told of once."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from adapters.ssh.backoff import ReconnectBackoff
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from tests.adapters.contracts.installer_stories import Place, line, phase, tell
from tests.adapters.ssh.places import place_on
from tests.adapters.ssh.test_losing_hosts import kill_all_on, note_with, when
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow

STEP = phase("step", "echo here")
PATIENT = Timings(patience_seconds=20)
QUICK = Timings(connect_seconds=2, patience_seconds=3, longest_pause_seconds=1, answer_seconds=2)


@pytest.fixture
def place(ssh_host: SshHost) -> Place:
    return place_on(ssh_host)


@contextmanager
def the_only_connection(host: SshHost) -> Iterator[socket.socket]:
    """Somebody connects and does not log in."""
    while True:
        with closing(socket.create_connection((host.address, host.port))) as other:
            if other.recv(4) == b"SSH-":
                yield other
                return


async def test_a_host_that_opens_one_session_at_a_time_is_logged_in_to_once(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.configure("MaxSessions 1")
    phases = [
        phase(name, "sleep 1; echo A=1 >> $QUARTERDECK_STATE", check="false") for name in "ab"
    ]
    story = await tell(SSHInstaller(PATIENT), place.install(*phases))
    assert story.finished.error is None
    assert story.state
    assert ssh_host.logins == 1
    assert story.notes("a") + story.notes("b") == ""


async def test_a_script_on_a_host_that_opens_one_session_at_a_time_can_be_cancelled(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.configure("MaxSessions 1")
    request = place.install(phase("step", "echo go; sleep 600"))
    story = await tell(SSHInstaller(PATIENT), request, cancel_when=line("go"))
    assert (story.finished.cancelled, story.finished.error) == (True, None)
    assert ssh_host.logins <= 2


async def test_a_host_that_opens_no_session_is_told_as_such(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.configure("MaxSessions 0")
    story = await tell(SSHInstaller(QUICK), place.install(STEP))
    assert story.error == (
        f"127.0.0.1:{ssh_host.port} lets us in and opens no session (open failed); MaxSessions in "
        "its sshd_config must be at least 1."
    )
    assert ssh_host.logins == 1


async def test_a_host_that_has_too_many_connections_is_tried_again(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.configure("MaxStartups 1:100:1")
    with the_only_connection(ssh_host) as other:
        leave = when(note_with("Trying again"), other.close)
        story = await tell(SSHInstaller(PATIENT), place.install(STEP), leave_when=leave)
    assert story.output("step") == ["here"]
    assert "breaks the connection off before" in story.notes("connect")
    assert "MaxStartups" in story.notes("connect")


async def test_a_host_that_keeps_turning_us_away_is_given_up_after_few_tries(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.configure("MaxStartups 1:100:1")
    with the_only_connection(ssh_host):
        before = ssh_host.log.read_text().count("MaxStartups")
        story = await tell(SSHInstaller(QUICK), place.install(STEP))
    assert "says: Exceeded MaxStartups" in story.error
    assert ssh_host.log.read_text().count("MaxStartups") - before <= 3
    assert story.notes("connect").count("Trying again") == 1


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("kill -9 $$", "ends instead of running our command: signal KILL."),
        ("exit 0", "ends instead of running our command: exit code 0."),
        (
            "echo This account is currently not available.; exit 1",
            "our command: exit code 1. It says: This account is currently not available..",
        ),
        ("sleep 600", "a command gets no answer within 2 s; what its log-in shell or a"),
    ],
)
async def test_a_host_whose_shell_dies_at_once_says_what_happened(
    ssh_host: SshHost, place: Place, command: str, sentence: str
) -> None:
    ssh_host.configure(f"ForceCommand {command}")
    story = await tell(SSHInstaller(QUICK), place.install(STEP))
    assert story.error.startswith(f"127.0.0.1:{ssh_host.port} lets us in, and ")
    assert sentence in story.error
    assert ssh_host.logins == 1


@pytest.mark.parametrize("death", ["kill -9 $$", "echo fork: No memory >&2; exit 254"])
async def test_a_host_whose_shell_begins_to_die_is_given_up_after_few_log_ins(
    ssh_host: SshHost, place: Place, death: str
) -> None:
    script = f"echo '{death}' > $HOME/.bashrc; echo go; exec sleep 600"
    story = await tell(
        SSHInstaller(QUICK),
        place.install(phase("step", script, timeout="4s")),
        leave_when=when(line("go"), ssh_host.cut_connections),
    )
    kill_all_on(place)
    assert story.finished.is_lost
    assert "was of no use for " in story.error
    assert "its log-in shell ends instead of running our command: " in story.error
    assert story.error.endswith("Its script may still run there, or it has ended.")
    assert 3 <= ssh_host.logins <= 9
    assert len(story.notes("step").splitlines()) == 2


async def test_a_host_whose_shell_dies_for_a_while_is_followed_on(
    ssh_host: SshHost, place: Place
) -> None:
    script = "echo exit 254 > $HOME/.bashrc; echo go; until [ -e $HOME/well ]; do sleep 0.1; done"
    bashrc, well = place.home / ".bashrc", place.home / "well"
    cut = when(line("go"), ssh_host.cut_connections)
    recover = when(note_with("exit code 254"), lambda: (bashrc.unlink(), well.touch()))
    story = await tell(
        SSHInstaller(PATIENT),
        place.install(phase("step", f"{script}; echo end")),
        leave_when=lambda report: cut(report) or recover(report),
    )
    assert story.output("step") == ["go", "end"]
    assert story.finished.error is None


async def test_a_log_in_that_is_refused_under_a_script_is_tried_seldom(
    ssh_host: SshHost, place: Place
) -> None:
    def shut() -> None:
        ssh_host.authorize_nobody()
        ssh_host.cut_connections()

    story = await tell(
        SSHInstaller(replace(QUICK, patience_seconds=8)),
        place.install(phase("step", "echo go; sleep 600", timeout="4s")),
        leave_when=when(line("go"), shut),
    )
    kill_all_on(place)
    assert "does not let user" in story.error
    assert 1 <= ssh_host.log.read_text().count("Connection closed by authenticating user") <= 4


@pytest.mark.parametrize("after_refusal", [True, False])
def test_pauses_grow_to_a_longest_and_then_with_the_time_away(after_refusal: bool) -> None:
    backoff = ReconnectBackoff(5)
    pauses = [backoff.next_pause(0, after_refusal=after_refusal) for _ in range(12)]
    first, longest = (4, 5) if after_refusal else (0.25, 5)
    assert 0.75 * first <= pauses[0] <= 1.25 * first
    assert 0.75 * longest <= pauses[-1] <= 1.25 * longest
    assert len(set(pauses)) == len(pauses)
    assert 45 <= backoff.next_pause(86_400, after_refusal=after_refusal) <= 75
