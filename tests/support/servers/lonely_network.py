"""A network of its own before a server's socket, which can fall silent: no packet comes back."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 5432


class CannotMakeNetwork(Exception):
    """This machine or this account may not."""


class LonelyNetwork:
    """Reached at `address`, port 5432, until it falls silent."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._host = f"10.213.{number}.1"
        self.address = f"10.213.{number}.2"

    def open(self) -> None:
        """Raises CannotMakeNetwork where we may not make networks."""
        outer, inner = f"{self._name}o", f"{self._name}i"
        try:
            _ip("netns", "add", self._name)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotMakeNetwork(f"no network can be made here: {error}") from error
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self._name)
        _ip("addr", "add", f"{self._host}/30", "dev", outer)
        _ip("link", "set", outer, "up")
        _ip("-n", self._name, "addr", "add", f"{self.address}/30", "dev", inner)
        _ip("-n", self._name, "link", "set", inner, "up")

    def fall_silent(self) -> None:
        """What is sent here arrives, and nothing is answered, not even that it arrived."""
        _ip("-n", self._name, "route", "add", "blackhole", f"{self._host}/32")

    def close(self) -> None:
        _ip("netns", "del", self._name)

    def serve(self, socket: Path) -> subprocess.Popen[bytes]:
        """Hand every connection on to a server's socket."""
        program = [sys.executable, str(Path(__file__)), self.address, str(PORT), str(socket)]
        return subprocess.Popen(["ip", "netns", "exec", self._name, *program])


@contextmanager
def lonely_network(socket: Path) -> Iterator[LonelyNetwork]:
    """A network of its own in which a server is that listens on a socket of this machine."""
    network = LonelyNetwork(f"qd{secrets.token_hex(4)}", secrets.randbelow(250))
    network.open()
    try:
        relay = network.serve(socket)
        try:
            yield network
        finally:
            os.kill(relay.pid, signal.SIGKILL)
            relay.wait()
    finally:
        network.close()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


async def _relay(address: str, port: int, socket: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        its_reader, its_writer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_pump(reader, its_writer), _pump(its_reader, writer))

    server = await asyncio.start_server(serve, address, port)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(_relay(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
