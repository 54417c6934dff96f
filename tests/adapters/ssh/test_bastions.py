"""A host behind a bastion is reached through it, or the one of both that is at fault is named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from adapters.ssh.forwarding import not_forwarded
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.timings import Timings
from application.ports import HostKeyOffered
from tests.adapters.contracts.installer_stories import Place, Story, phase, tell
from tests.adapters.ssh.full_backlog import full_backlog
from tests.adapters.ssh.places import config_of, place_on
from tests.support.servers import SshHost, sshd

pytestmark = pytest.mark.slow

QUICK = Timings(connect_seconds=2, patience_seconds=4)
STEP = phase("first", "echo here")
ADVICE = ": allow it in the bastion's sshd_config (AllowTcpForwarding, PermitOpen,"


@pytest.fixture
def place(ssh_host: SshHost) -> Place:
    return place_on(ssh_host)


async def installed(place: Place, **request: object) -> Story:
    return await tell(SSHInstaller(QUICK), replace(place.install(STEP), **request))


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[SshHost]:
    with sshd(tmp_path / "bastion", "127.0.0.3") as host:
        yield host


def let_in(bastion: SshHost, place: Place, options: str = "") -> None:
    """The place is behind the bastion, whose authorized_keys has the options for its key."""
    key = asyncssh.import_private_key(place.private_key).export_public_key().decode()
    bastion.authorize(f"{options} {key}".strip())
    config = place.connection[0]
    config.update(sshBastionHost=bastion.address, sshBastionPort=bastion.port)


async def test_a_host_behind_a_bastion_is_reached_through_it_and_both_keys_are_pinned(
    ssh_host: SshHost, bastion: SshHost, place: Place
) -> None:
    let_in(bastion, place)
    story = await installed(place, known_hosts={})
    assert [offer.key for offer in story.of(HostKeyOffered)] == [
        bastion.host_key,
        ssh_host.host_key,
    ]
    assert story.output("first") == ["here"]


async def test_a_bastion_that_does_not_answer_is_named(ssh_host: SshHost, place: Place) -> None:
    place.connection = config_of(
        ssh_host.user, ssh_host.port, "127.0.0.1", sshBastionHost="127.0.0.9", sshBastionPort=7
    )
    story = await installed(place)
    assert story.error == (
        f"127.0.0.1:{ssh_host.port} is behind the bastion 127.0.0.9:7, which refuses connections."
    )


@pytest.mark.parametrize(
    "option",
    [
        "AllowTcpForwarding no",
        "AllowTcpForwarding remote",
        "DisableForwarding yes",
        "PermitOpen none",
        "PermitOpen 127.0.0.1:7",
    ],
)
async def test_a_bastion_that_forwards_nothing_is_named_with_what_to_change(
    ssh_host: SshHost, bastion: SshHost, place: Place, option: str
) -> None:
    let_in(bastion, place)
    bastion.configure(option)
    story = await installed(place, known_hosts={})
    host = f"127.0.0.1:{ssh_host.port}"
    begin = f"{host} is behind the bastion 127.0.0.3:{bastion.port}, which does not forward"
    assert story.error.startswith(f"{begin} connections to {host} (")
    assert ADVICE in story.error


@pytest.mark.parametrize("options", ["restrict", "no-port-forwarding", 'permitopen="a:1"'])
async def test_a_key_that_may_not_forward_is_named_too(
    bastion: SshHost, place: Place, options: str
) -> None:
    let_in(bastion, place, options)
    story = await installed(place, known_hosts={})
    assert f"is behind the bastion 127.0.0.3:{bastion.port}, which does not" in story.error
    assert "in the key's line of its authorized_keys (restrict" in story.error


async def test_a_bastion_that_runs_no_commands_forwards_all_the_same(
    bastion: SshHost, place: Place
) -> None:
    let_in(bastion, place)
    bastion.configure("ForceCommand /bin/false", "MaxSessions 0")
    assert (await installed(place, known_hosts={})).output("first") == ["here"]


@pytest.mark.parametrize("is_behind_a_bastion", [True, False])
@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("127.0.0.9", "127.0.0.9:{} refuses connections."),
        (
            "no-such-host.invalid",
            "no-such-host.invalid:{} cannot be reached: its name is not known",
        ),
        ("127.0.0.51", "127.0.0.51:{} did not answer within 2 s."),
        ("::1", "[::1]:{} refuses connections."),
    ],
)
async def test_what_is_wrong_behind_a_bastion_is_told_as_without_one(
    bastion: SshHost, place: Place, host: str, sentence: str, is_behind_a_bastion: bool
) -> None:
    with full_backlog("127.0.0.51") as port:
        place.connection = config_of("root", port, host)
        if is_behind_a_bastion:
            let_in(bastion, place)
        assert (await installed(place, known_hosts={})).error.startswith(sentence.format(port))


async def test_a_bastion_that_does_not_let_us_in_is_named_with_the_line_that_helps(
    bastion: SshHost, place: Place
) -> None:
    let_in(bastion, place)
    bastion.authorize_nobody()
    story = await installed(place, known_hosts={})
    assert f"is behind the bastion 127.0.0.3:{bastion.port}, which does not let user" in story.error
    assert "add this line to the user's ~/.ssh/authorized_keys: ssh-ed25519 " in story.error


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        (1, "", "does not forward connections to h:22: allow it"),
        (3, "unknown channel type", "does not forward connections to h:22 (unknown channel type)"),
        (4, "", "has no room for another connection"),
        (2, "dial tcp 10.0.0.1:22: connect: connection refused", "refuses connections"),
        (2, "dial tcp: lookup h: no such host", "cannot be reached: its name is not known"),
        (2, "Temporary failure in name resolution", "cannot be reached: its name is not known"),
        (2, "No route to host", "cannot be reached: No route to host"),
        (2, "Connect failed", "cannot connect to h:22 (Connect failed)"),
    ],
)
def test_every_way_not_to_forward_has_its_sentence(code: int, reason: str, sentence: str) -> None:
    assert str(not_forwarded(code, reason, "h:22")).startswith(sentence)
