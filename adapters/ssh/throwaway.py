"""A throw-away SSH host for the example, on loopback: real commands, in a sandbox of their own."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from adapters.ssh.keys import one_line
from adapters.ssh.sandbox.sandbox import Sandbox

AuthorizedKeys = Callable[[], Awaitable[Collection[str]]]
"""The public keys (lines in OpenSSH's form) that may come in now; asked at every login."""

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 64 * 1024

Process = asyncssh.SSHServerProcess[bytes]


class ThrowawayHost:
    """Lives inside `async with`; whatever was started on it dies with it, detached or not.

    The folder keeps the host key and the home, so that a host that comes back is the same one.
    Raises NoSandbox where its commands could reach what is not theirs.
    """

    def __init__(self, folder: Path, authorized_keys: AuthorizedKeys, port: int = 0) -> None:
        self._folder = folder
        self._authorized_keys = authorized_keys
        self._wanted_port = port
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._commands: set[asyncio.Future[None]] = set()
        self.sandbox = Sandbox(folder)
        self.port = 0
        self.public_key = ""
        """The host key's public half, as known_hosts writes it."""

    async def __aenter__(self) -> Self:
        await self.sandbox.__aenter__()
        try:
            await self._listen()
        except BaseException:
            await self.sandbox.__aexit__(None, None, None)
            raise
        return self

    async def _listen(self) -> None:
        key = await asyncio.to_thread(_host_key, self._folder)
        self._acceptor = await asyncssh.listen(
            LOOPBACK,
            self._wanted_port,
            server_factory=lambda: _Door(self._authorized_keys, self._connections),
            server_host_keys=[key],
            process_factory=self._serve,
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            gss_host=None,
            config=None,
            keepalive_interval=30,
        )
        self.port = self._acceptor.get_port()
        self.public_key = one_line(key)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._acceptor:
            self._acceptor.close()
            await self._acceptor.wait_closed()
        for connection in list(self._connections):
            connection.abort()
        await self.sandbox.__aexit__(kind, error, traceback)
        if self._commands:
            await asyncio.wait(self._commands)

    def _serve(self, process: Process) -> Awaitable[None]:
        command = asyncio.ensure_future(self._run(process))
        self._commands.add(command)
        command.add_done_callback(self._commands.discard)
        return command

    async def _run(self, process: Process) -> None:
        """A command as sshd runs it: it lives on without its connection, on broken pipes."""
        output, errors = await _Outlet.open(), await _Outlet.open()
        with output, errors:
            ours, theirs = socket.socketpair()
            with theirs:
                streams = (theirs.fileno(), output.inlet, errors.inlet)
                code = self.sandbox.start(process.command, streams)
            _, stdin = await asyncio.open_unix_connection(sock=ours)
            feeding = asyncio.create_task(_feed(process.stdin, stdin))
            await asyncio.gather(output.pour(process.stdout), errors.pour(process.stderr))
            await code
            feeding.cancel()
        process.exit(code.result())


class _Door(asyncssh.SSHServer):
    def __init__(
        self, authorized_keys: AuthorizedKeys, connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._authorized_keys = authorized_keys
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self._connection)

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        lines = await self._authorized_keys()
        return any(line.split()[:2] == one_line(key).split()[:2] for line in lines)


class _Outlet:
    """A pipe out of a command; closing it is what a command sees of a connection that is gone."""

    def __init__(self, inlet: int, reader: asyncio.StreamReader, pipe: asyncio.ReadTransport):
        self.inlet = inlet
        self._reader = reader
        self._pipe = pipe

    @classmethod
    async def open(cls) -> Self:
        outlet, inlet = os.pipe()
        reader = asyncio.StreamReader(CHUNK_BYTES)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(outlet, "rb", buffering=0)
        )
        return cls(inlet, reader, pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_inlet()
        self._pipe.close()

    async def pour(self, writer: asyncssh.SSHWriter[bytes]) -> None:
        self._close_inlet()
        try:
            while chunk := await self._reader.read(CHUNK_BYTES):
                writer.write(chunk)
                await writer.drain()
        except (OSError, asyncssh.Error):
            self._pipe.close()

    def _close_inlet(self) -> None:
        if self.inlet >= 0:
            os.close(self.inlet)
            self.inlet = -1


async def _feed(reader: asyncssh.SSHReader[bytes], writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except (OSError, asyncssh.Error):
        pass
    finally:
        writer.close()


def _host_key(folder: Path) -> asyncssh.SSHKey:
    file = folder / "host_key"
    if not file.exists():
        _adopt_former_key(file)
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(draft))
        draft.rename(file)
    return asyncssh.read_private_key(str(file))


def _adopt_former_key(file: Path) -> None:
    """It was once kept in the home, where what runs on the host could change it."""
    former = file.parent / "host" / ".ssh" / "host_key"
    with suppress(OSError):
        former.rename(file)
