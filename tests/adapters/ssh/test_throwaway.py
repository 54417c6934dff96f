"""The throw-away host is a real one in small: real commands, its own key, and it ends whole."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
import uvloop

from adapters.ssh.sandbox.root_folder import HOME
from adapters.ssh.throwaway import ThrowawayHost
from tests.adapters.contracts.installer_stories import eventually
from tests.adapters.ssh.sandboxes import home_of, names_of, processes_in

KEY = asyncssh.generate_private_key("ssh-ed25519")


async def authorized() -> list[str]:
    return [f"{KEY.export_public_key().decode().strip()} a comment of its own"]


async def login(host: ThrowawayHost, key: asyncssh.SSHKey = KEY) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1",
        host.port,
        username="anybody",
        client_keys=[key],
        known_hosts=([asyncssh.import_public_key(host.public_key)], [], []),
        config=None,
        agent_path=None,
    )


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[ThrowawayHost]:
    async with ThrowawayHost(tmp_path / "home", authorized) as host:
        yield host


async def test_commands_are_real_and_run_at_home(host: ThrowawayHost) -> None:
    async with await login(host) as connection:
        done = await connection.run("pwd; echo $HOME; cat; echo no >&2; exit 3", input="given")
    assert done.stdout == f"{HOME}\n{HOME}\ngiven"
    assert (done.stderr, done.exit_status) == ("no\n", 3)


def test_a_command_ends_with_its_shell_whatever_it_leaves_running_in_the_products_own_loop(
    tmp_path: Path,
) -> None:
    """uvloop leaves copies of the pipes open in what it starts."""

    async def leave_running() -> bool:
        async with ThrowawayHost(tmp_path, authorized) as host, await login(host) as connection:
            script = "(until [ -e go-on ]; do sleep 0.05; done; touch ended) > /dev/null 2>&1 &"
            await connection.run(script, timeout=20)
            return (home_of(host) / "ended").exists()

    assert uvloop.run(leave_running()) is False


async def test_our_own_variables_are_not_seen_there(
    host: ThrowawayHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_DATABASE_URL", "planted")
    async with await login(host) as connection:
        assert "planted" not in (await connection.run("env")).stdout


async def test_a_stranger_is_not_let_in_until_the_key_is_added(tmp_path: Path) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    allowed: list[str] = []

    async def provider() -> list[str]:
        return allowed

    async with ThrowawayHost(tmp_path, provider) as host:
        with pytest.raises(asyncssh.PermissionDenied):
            await login(host, stranger)
        allowed.append(stranger.export_public_key().decode())
        async with await login(host, stranger) as connection:
            assert (await connection.run("echo in")).stdout == "in\n"


async def test_it_comes_back_with_the_same_key_and_port(tmp_path: Path) -> None:
    async with ThrowawayHost(tmp_path, authorized) as first:
        port, key = first.port, first.public_key
    async with ThrowawayHost(tmp_path, authorized, port=port) as second:
        assert (second.port, second.public_key) == (port, key)
        assert (tmp_path / "host_key").stat().st_mode & 0o077 == 0


async def test_what_was_detached_outlives_its_connection_and_dies_with_the_host(
    tmp_path: Path,
) -> None:
    async with ThrowawayHost(tmp_path, authorized) as host:
        async with await login(host) as connection:
            await connection.run("setsid sh -c 'echo $$ > pid; exec sleep 600' > /dev/null 2>&1 &")
        pid = home_of(host) / "pid"
        await eventually(lambda: pid.exists() and pid.read_text() != "", "the pid is written")
        async with await login(host) as connection:
            assert (await connection.run("kill -0 $(cat pid)")).exit_status == 0
        assert "sleep" in names_of(processes_in(host))
    assert processes_in(host) == []


async def test_a_command_whose_follower_left_ends_at_its_next_word(host: ThrowawayHost) -> None:
    connection = await login(host)
    process = await connection.create_process("echo go; while sleep 0.05; do echo on; done")
    await process.stdout.readline()
    assert "sh" in names_of(processes_in(host))
    connection.abort()
    await eventually(lambda: not names_of(processes_in(host)), "the command is gone")


async def test_it_ends_while_commands_run(tmp_path: Path) -> None:
    async with ThrowawayHost(tmp_path, authorized) as host:
        connection = await login(host)
        process = await connection.create_process("echo go; cat")
        assert await process.stdout.readline() == "go\n"
    async with asyncio.timeout(5):
        await connection.wait_closed()
