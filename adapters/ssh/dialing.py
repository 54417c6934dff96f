"""A socket to whichever address of a name answers first (RFC 8305)."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import NamedTuple

from adapters.ssh.failures import HostGone, TurnedAway

ATTEMPT_DELAY_SECONDS = 0.25
"""RFC 8305, section 8: so long an address is waited for before the next one is tried beside it."""
GREETING_SECONDS = 1.0
"""A server may wait for our version before it tells its own (RFC 4253, section 4.2): then one that
is silent is taken, if no other address has spoken meanwhile."""
FIRST_WORDS_BYTES = 256

SocketAddress = tuple[socket.AddressFamily, tuple[object, ...]]


class Dialed(NamedTuple):
    """A connected socket, and what the server has said that is not its version, and why it may end
    the connection; it is still to be read from the socket."""

    socket: socket.socket
    first_words: str


async def dial(host: str, port: int, failed: dict[str, HostGone]) -> Dialed:
    """The first address of the host that answers, as `first_of` has it."""
    return await first_of(await addresses_of(host, port), failed)


async def first_of(addresses: Sequence[SocketAddress], failed: dict[str, HostGone]) -> Dialed:
    """The first address at which somebody speaks, as most SSH servers do before they are asked.

    `failed` is filled with the addresses that do not, and why. Raises HostGone when none does; it
    waits as long as one of them is silent.
    """
    waiting = deque(addresses)
    tried: dict[asyncio.Task[Dialed], str] = {}
    try:
        while waiting or tried:
            if waiting:
                family, address = waiting.popleft()
                attempt = asyncio.create_task(_greeted(family, address), name=f"dial {address[0]}")
                tried[attempt] = str(address[0])
            delay = ATTEMPT_DELAY_SECONDS if waiting else None
            done, _ = await asyncio.wait(tried, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                name = tried.pop(attempt)
                try:
                    return attempt.result()
                except HostGone as gone:
                    failed[name] = gone
    finally:
        await _hang_up(tried)
    raise _none_of(failed)


def no_answer(failed: dict[str, HostGone], seconds: float) -> HostGone:
    """Why a name did not answer in time, with those of its addresses that failed before."""
    text = f"did not answer within {seconds:g} s"
    return HostGone(f"{text} ({_each(failed)})" if failed else text)


def unreachable(error: OSError) -> HostGone:
    """The sentence about an error of the network."""
    match error:
        case ConnectionRefusedError():
            return HostGone("refuses connections")
        case ConnectionResetError() | BrokenPipeError():
            return HostGone("breaks the connection off")
        case socket.gaierror():
            return HostGone("cannot be reached: its name is not known")
    if isinstance(error.errno, int) and error.errno > 0:
        return HostGone(f"cannot be reached: {os.strerror(error.errno)}")
    return HostGone(f"cannot be reached: {error}")


def turned_away(first_words: str = "") -> TurnedAway:
    """The sentence about a server that ends the connection before it has said what it is."""
    said = f" and says: {first_words}" if first_words else ""
    return TurnedAway(
        f"breaks the connection off before it says anything of SSH{said} (it has too many "
        "connections, see MaxStartups in its sshd_config, or it bars this address for a while, as "
        "PerSourcePenalties and fail2ban do)"
    )


async def addresses_of(host: str, port: int) -> list[SocketAddress]:
    """In the resolver's order, but each other one of another family (RFC 8305, section 4).

    Raises HostGone for a name that is not known.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise HostGone("has no name that can be looked up") from None
    except OSError as error:
        raise unreachable(error) from None
    addresses: list[SocketAddress] = list(
        dict.fromkeys((entry[0], tuple(entry[4])) for entry in found)
    )
    return list(_interleaved(addresses))


def _interleaved(addresses: Sequence[SocketAddress]) -> Iterator[SocketAddress]:
    first = [each for each in addresses if each[0] == addresses[0][0]]
    others = [each for each in addresses if each[0] != addresses[0][0]]
    for pair in zip_longest(first, others):
        yield from (each for each in pair if each is not None)


async def _greeted(family: socket.AddressFamily, address: tuple[object, ...]) -> Dialed:
    loop = asyncio.get_running_loop()
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        words = await _first_words(connection)
    except OSError as error:
        connection.close()
        raise unreachable(error) from None
    except BaseException:
        connection.close()
        raise
    if words == b"":
        connection.close()
        raise turned_away()
    return Dialed(connection, _shown(words or b""))


async def _first_words(connection: socket.socket) -> bytes | None:
    """What the server says first, left in the socket; no bytes when it ends the connection, and
    None when it waits for us."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, readable.cancel)
    try:
        done, _ = await asyncio.wait([readable], timeout=GREETING_SECONDS)
    finally:
        loop.remove_reader(connection)
    try:
        return connection.recv(FIRST_WORDS_BYTES, socket.MSG_PEEK) if done else None
    except ConnectionResetError:
        return b""


def _shown(words: bytes) -> str:
    if words.startswith(b"SSH-"):
        return ""
    line = words.decode(errors="replace").partition("\n")[0]
    return "".join(each for each in line if each.isprintable()).strip()


def _none_of(failed: dict[str, HostGone]) -> HostGone:
    reasons = {str(gone) for gone in failed.values()}
    if len(reasons) == 1:
        return next(iter(failed.values()))
    is_busy = any(isinstance(gone, TurnedAway) for gone in failed.values())
    kind = TurnedAway if is_busy else HostGone
    return kind(f"answers at none of its addresses ({_each(failed)})")


def _each(failed: dict[str, HostGone]) -> str:
    return "; ".join(f"{address} {gone}" for address, gone in failed.items())


async def _hang_up(tried: dict[asyncio.Task[Dialed], str]) -> None:
    """Close what is no longer wanted, also what answered at the same moment."""
    for attempt in tried:
        attempt.cancel()
    for attempt in tried:
        with suppress(asyncio.CancelledError, HostGone):
            (await attempt).socket.close()
