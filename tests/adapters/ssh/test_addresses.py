"""A name is tried at each of its addresses, and each may be of IPv6 wherever a host is named."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from adapters.ssh.dialing import SocketAddress, first_of
from adapters.ssh.failures import HostGone, TurnedAway
from adapters.ssh.installer import SSHInstaller
from application.ports import HostKeyOffered
from tests.adapters.contracts.installer_stories import Place, phase, tell
from tests.adapters.ssh import with_hosts_file
from tests.adapters.ssh.full_backlog import full_backlog
from tests.adapters.ssh.places import config_of, place_on
from tests.support.servers import SshHost, sshd
from tests.support.servers.ssh import may_mount

pytestmark = pytest.mark.slow

STEP = phase("first", "echo here")
needs_a_hosts_file = pytest.mark.skipif(not may_mount(), reason="It takes the right to mount.")


@pytest.fixture
def place(ssh_host: SshHost) -> Place:
    return place_on(ssh_host)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Somebody accepts connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener


def at(host: str, port: int) -> SocketAddress:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, (host, port)


async def test_addresses_that_are_dead_are_passed_over_for_one_that_speaks(
    ssh_host: SshHost, silent: socket.socket
) -> None:
    failed: dict[str, HostGone] = {}
    with full_backlog("127.0.0.51") as dead, full_backlog("::1") as dead_6:
        addresses = [
            at("::1", dead_6),
            at("127.0.0.51", dead),
            at("127.0.0.9", 7),
            at(*silent.getsockname()),
            at(ssh_host.address, ssh_host.port),
        ]
        begun = asyncio.get_running_loop().time()
        with (await first_of(addresses, failed)).socket as taken:
            assert taken.getpeername() == (ssh_host.address, ssh_host.port)
    assert asyncio.get_running_loop().time() - begun < 3
    assert {name: str(gone) for name, gone in failed.items()} == {
        "127.0.0.9": "refuses connections"
    }


async def test_a_server_that_waits_for_us_to_speak_is_taken_when_no_other_speaks(
    silent: socket.socket,
) -> None:
    dialed = await first_of([at("127.0.0.9", 7), at(*silent.getsockname())], {})
    with dialed.socket as taken:
        assert taken.getpeername() == silent.getsockname()


async def test_when_no_address_answers_each_tells_why() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        busy = server.sockets[0].getsockname()
        with pytest.raises(TurnedAway) as gone:
            await first_of([at("127.0.0.9", 7), at(*busy)], {})
    assert str(gone.value).startswith(
        "answers at none of its addresses (127.0.0.9 refuses connections; 127.0.0.1 breaks the "
        "connection off before it says anything of SSH"
    )


@needs_a_hosts_file
def test_a_name_whose_first_address_is_dead_is_reached_at_the_next(
    tmp_path: Path,
) -> None:
    with sshd(tmp_path / "sshd", "127.0.0.52") as host, full_backlog("127.0.0.51", host.port):
        place = place_on(host)
        place.connection = config_of(host.user, host.port, "several.test")
        names = {"several.test": ["127.0.0.51", "127.0.0.53", "127.0.0.52"]}
        assert with_hosts_file.installed(tmp_path, names, place) == (["here"], None)


@needs_a_hosts_file
def test_a_bastion_whose_first_address_is_dead_is_reached_at_the_next(
    ssh_host: SshHost, place: Place, tmp_path: Path
) -> None:
    key = asyncssh.import_private_key(place.private_key).export_public_key().decode()
    with sshd(tmp_path / "sshd", "127.0.0.52") as bastion, full_backlog("127.0.0.51", bastion.port):
        bastion.authorize(key)
        place.connection[0].update(sshBastionHost="bastion.test", sshBastionPort=bastion.port)
        names = {"bastion.test": ["127.0.0.51", "127.0.0.52"]}
        assert with_hosts_file.installed(tmp_path, names, place) == (["here"], None)


@needs_a_hosts_file
def test_a_name_behind_a_bastion_whose_first_address_is_dead_is_reached_at_the_next(
    tmp_path: Path,
) -> None:
    hosts = "127.0.0.51 several.test\n127.0.0.52 several.test\n"
    bastion_sees = sshd(tmp_path / "bastion", "127.0.0.3", files={"/etc/hosts": hosts})
    with (
        sshd(tmp_path / "sshd", "127.0.0.52") as host,
        full_backlog("127.0.0.51", host.port),
        bastion_sees as bastion,
    ):
        place = place_on(host)
        key = asyncssh.import_private_key(place.private_key).export_public_key().decode()
        bastion.authorize(key)
        through = {"sshBastionHost": bastion.address, "sshBastionPort": bastion.port}
        place.connection = config_of(host.user, host.port, "several.test", **through)
        names = {"several.test": ["127.0.0.51", "127.0.0.52"]}
        assert with_hosts_file.installed(tmp_path, names, place) == (["here"], None)


@needs_a_hosts_file
def test_a_name_none_of_whose_addresses_answers_tells_of_each(tmp_path: Path) -> None:
    with full_backlog("127.0.0.51") as port:
        place = Place(tmp_path, config_of("root", port, "several.test"), key_of_nobody(), {})
        names = {"several.test": ["127.0.0.51", "127.0.0.53"]}
        _, error = with_hosts_file.installed(tmp_path, names, place)
    assert error == (
        f"several.test:{port} did not answer within 3 s (127.0.0.53 refuses connections)."
    )


def key_of_nobody() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()


@pytest.mark.parametrize("form", ["::1", "[::1]", "0:0:0:0:0:0:0:1", "[::1]:{port}", "::1%lo"])
async def test_an_address_of_ipv6_is_a_host_in_each_of_its_forms(tmp_path: Path, form: str) -> None:
    with sshd(tmp_path / "six", "::1") as host:
        place = place_on(host)
        port = 22 if "{port}" in form else host.port
        place.connection = config_of(host.user, port, form.format(port=host.port))
        story = await tell(SSHInstaller(), replace(place.install(STEP), known_hosts={}))
        (offered,) = story.of(HostKeyOffered)
        name = "::1%lo" if "%" in form else "::1"
        assert (offered.host, offered.port) == (name, host.port)
        assert story.output("first") == ["here"]
        pinned = {f"[{offered.host}]:{offered.port}": offered.key}
        again = await tell(SSHInstaller(), replace(place.install(STEP), known_hosts=pinned))
        assert not again.of(HostKeyOffered)


@pytest.mark.parametrize("form", ["::1", "[::1]", "[::1]:{port}"])
async def test_an_address_of_ipv6_is_a_bastion_too(
    ssh_host: SshHost, place: Place, tmp_path: Path, form: str
) -> None:
    key = asyncssh.import_private_key(place.private_key).export_public_key().decode()
    with sshd(tmp_path / "six", "::1") as bastion:
        bastion.authorize(key)
        port = 22 if "{port}" in form else bastion.port
        bastion_host = form.format(port=bastion.port)
        place.connection[0].update(sshBastionHost=bastion_host, sshBastionPort=port)
        pins = {**place.known_hosts, f"[::1]:{bastion.port}": bastion.host_key}
        story = await tell(SSHInstaller(), replace(place.install(STEP), known_hosts=pins))
    assert story.output("first") == ["here"]
    assert not story.of(HostKeyOffered)


async def test_a_host_may_bring_its_port(ssh_host: SshHost, place: Place) -> None:
    place.connection = config_of(ssh_host.user, 22, f"127.0.0.1:{ssh_host.port}")
    assert (await tell(SSHInstaller(), place.install(STEP))).output("first") == ["here"]
