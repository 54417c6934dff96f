"""A host is reached with the right key, shows the key that is pinned, or the reason is told."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import asyncssh
import pytest

from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from application.ports import Continue, HostKeyOffered, Operation, Report
from tests.adapters.contracts.installer_stories import Place, Story, line, phase, tell
from tests.adapters.ssh.places import config_of, place_on
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow

QUICK = Timings(connect_seconds=2, patience_seconds=4)
STEP = phase("first", "echo here")


@pytest.fixture
def place(ssh_host: SshHost) -> Place:
    return place_on(ssh_host)


async def installed(place: Place, **request: object) -> Story:
    return await tell(SSHInstaller(QUICK), replace(place.install(STEP), **request))


def test_the_public_half_is_what_the_host_would_print(ssh_host: SshHost, place: Place) -> None:
    assert place.known_hosts == {f"127.0.0.1:{ssh_host.port}": ssh_host.host_key}


async def test_a_key_that_the_host_refuses_is_named_with_the_line_that_lets_it_in(
    ssh_host: SshHost, place: Place
) -> None:
    ssh_host.authorize_nobody()
    public = asyncssh.import_private_key(place.private_key).export_public_key().decode().strip()
    story = await installed(place)
    assert f"does not let user {ssh_host.user} in with SHA256:" in story.error
    assert public in story.error
    assert story.started == ["connect"]


async def test_an_unknown_host_offers_its_key_before_anybody_logs_in(
    ssh_host: SshHost, place: Place
) -> None:
    logins_before_the_answer = []

    def answer(operation: Operation, report: Report) -> None:
        if isinstance(report, HostKeyOffered):
            logins_before_the_answer.append("publickey" in ssh_host.log.read_text())
        operation.answer(Continue.NEXT_PHASE)

    request = replace(place.install(STEP), known_hosts={})
    story = await tell(SSHInstaller(), request, answer=answer)
    (offered,) = story.of(HostKeyOffered)
    assert (offered.host, offered.port, offered.key) == (
        "127.0.0.1",
        ssh_host.port,
        ssh_host.host_key,
    )
    assert offered.fingerprint.startswith("SHA256:")
    assert logins_before_the_answer == [False]
    assert story.output("first") == ["here"]


@pytest.mark.parametrize("no", [Continue.STOP_OPERATION, Continue.ERROR])
async def test_a_host_whose_key_is_not_wanted_is_not_logged_in_to(
    ssh_host: SshHost, place: Place, no: Continue
) -> None:
    def refuse(operation: Operation, _: Report) -> None:
        operation.answer(no, "The key is not ours.")

    request = replace(place.install(STEP), known_hosts={})
    story = await tell(SSHInstaller(), request, answer=refuse)
    assert story.finished.cancelled == (no is Continue.STOP_OPERATION)
    assert story.finished.error == (None if story.finished.cancelled else "The key is not ours.")
    assert "publickey" not in ssh_host.log.read_text()


async def test_a_changed_host_key_is_told_with_both_fingerprints_and_nobody_logs_in(
    ssh_host: SshHost, place: Place
) -> None:
    old = asyncssh.import_public_key(ssh_host.host_key).get_fingerprint()
    ssh_host.change_host_key()
    new = asyncssh.import_public_key(ssh_host.host_key).get_fingerprint()
    story = await installed(place)
    assert (
        f"has changed: {old} (ssh-ed25519) is pinned, {new} (ssh-ed25519) is shown" in story.error
    )
    assert "forget the pinned key" in story.error
    assert not story.of(HostKeyOffered)
    assert "publickey" not in ssh_host.log.read_text()


async def test_a_pin_that_is_no_key_is_a_sentence(ssh_host: SshHost, place: Place) -> None:
    story = await installed(place, known_hosts={f"127.0.0.1:{ssh_host.port}": "ssh-ed25519 %%"})
    assert story.error.startswith(f"What is pinned for 127.0.0.1:{ssh_host.port} is not a host key")


async def test_the_first_host_that_lets_us_in_is_taken(ssh_host: SshHost, place: Place) -> None:
    place.connection = config_of(ssh_host.user, ssh_host.port, "127.0.0.9", "127.0.0.1")
    story = await installed(place)
    assert f"127.0.0.1:{ssh_host.port}" in story.notes("connect")
    assert story.output("first") == ["here"]


async def test_when_no_host_can_be_used_each_tells_why(ssh_host: SshHost, place: Place) -> None:
    ssh_host.authorize_nobody()
    place.connection = config_of(
        ssh_host.user, ssh_host.port, "127.0.0.9", "no-such-host.invalid", "127.0.0.1"
    )
    story = await installed(place)
    assert story.error.startswith("None of the 3 hosts can be used: ")
    assert f"127.0.0.9:{ssh_host.port} refuses connections; " in story.error
    assert f"no-such-host.invalid:{ssh_host.port} cannot be reached: its name is" in story.error
    assert f"127.0.0.1:{ssh_host.port} does not let user" in story.error


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Where somebody accepts connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


async def test_a_host_that_says_nothing_is_not_waited_for_long(
    place: Place, silent_port: int
) -> None:
    place.connection = config_of("root", silent_port, "127.0.0.1")
    story = await installed(place)
    assert story.error == f"127.0.0.1:{silent_port} did not answer within 2 s."


async def test_a_server_that_speaks_another_ssh_is_told_as_such(place: Place) -> None:
    async def speak_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-1.0-ancient\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(speak_nonsense, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        place.connection = config_of("root", port, "127.0.0.1")
        story = await installed(place)
    assert story.error.startswith(f"127.0.0.1:{port} breaks the connection off: ")


def with_key(ssh_host: SshHost, place: Place, **key: str) -> Place:
    place.connection = config_of(
        ssh_host.user, ssh_host.port, "127.0.0.1", sshAgentPrivateKeys=[key]
    )
    place.private_key = "not used"
    return place


async def test_a_key_of_sshconfig_is_used_instead_of_the_clusters_own(
    ssh_host: SshHost, place: Place
) -> None:
    key = asyncssh.import_private_key(place.private_key)
    protected = key.export_private_key("pkcs8-pem", passphrase="open sesame").decode()
    with_key(ssh_host, place, key=protected, passphrase="open sesame")
    assert (await installed(place)).output("first") == ["here"]


@pytest.mark.parametrize(
    ("passphrase", "sentence"),
    [
        ("wrong", "The passphrase does not open private key 1 of SSHConfig."),
        ("", "Private key 1 of SSHConfig has a passphrase, and SSHConfig does not give it."),
    ],
)
async def test_a_passphrase_that_is_wrong_or_missing_is_told(
    ssh_host: SshHost, place: Place, passphrase: str, sentence: str
) -> None:
    key = asyncssh.import_private_key(place.private_key)
    protected = key.export_private_key("pkcs8-pem", passphrase="open sesame").decode()
    given = {"passphrase": passphrase} if passphrase else {}
    with_key(ssh_host, place, key=protected, **given)
    assert (await installed(place)).error == sentence


async def test_what_is_no_key_is_told_without_being_shown(ssh_host: SshHost, place: Place) -> None:
    with_key(ssh_host, place, key="hidden but not a key")
    story = await installed(place)
    assert story.error.startswith("Private key 1 of SSHConfig cannot be read as a private key")
    assert "hidden" not in story.error


async def test_what_a_hosts_profile_prints_is_not_taken_for_output(
    ssh_host: SshHost, place: Place
) -> None:
    (ssh_host.home / ".bashrc").write_text("echo welcome; echo to the host >&2\n")
    story = await installed(place)
    assert story.output("first") == ["here"]


async def test_a_host_where_nothing_can_be_written_tells_so(
    ssh_host: SshHost, place: Place
) -> None:
    (ssh_host.home / ".quarterdeck").write_text("in the way")
    story = await installed(place)
    assert story.error.startswith("The host refuses to work (exit code 70): mkdir:")


async def test_a_host_that_changes_its_key_under_a_script_is_not_spoken_to_again(
    ssh_host: SshHost, place: Place
) -> None:
    changed = []

    def change_once(report: Report) -> bool:
        if line("go")(report) and not changed:
            ssh_host.change_host_key()
            changed.append(True)
        return False

    request = place.install(phase("long", "echo go; sleep 30", timeout=10))
    story = await tell(SSHInstaller(QUICK), request, cancel_when=change_once)
    assert "has changed" in story.error
