"""Answers that nobody reads are bounded: in time for each connection, in memory for all together.

A client that takes nothing leaves its answer with us. It is counted from the moment when the
connection's buffer is full, or when the connection is to be closed and something is left in it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

MIB = 1 << 20
MAX_UNREAD_BYTES = 64 * MIB
"""Of all connections together. When there is more, whoever reads slowest is cut off."""
MIN_BYTES_PER_SECOND = 4_096
PERIOD_SECONDS = 20.0
"""Over so long a time a client must have read that fast; it is cut off within a quarter more."""
GRACE_BYTES = MIB
"""What a client is taken to have read before it began, so that nobody is cut off who just came."""


class Connection(Protocol):
    @property
    def unread_bytes(self) -> int:
        """What was answered and is still here."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether nothing more is written: the buffer is full, or the connection ends."""
        ...

    def abort(self) -> None:
        """End the connection, and forget what was not read."""
        ...


@dataclass(slots=True)
class _Reading:
    """How much there was to read at some time, and at first."""

    since: float
    size: int
    first_size: int

    def speed(self, now: float, unread: int) -> float:
        """Bytes a second since then."""
        return (self.size - unread) / max(now - self.since, 0.001)


class UnreadAnswers:
    """Watches all connections of a server."""

    max_bytes = MAX_UNREAD_BYTES
    period_seconds = PERIOD_SECONDS

    def __init__(self, connections: Collection[Connection]) -> None:
        self._connections = connections
        self._readings: dict[Connection, _Reading] = {}

    async def watch(self) -> None:
        """Look at the connections again and again, until cancelled."""
        while True:
            await asyncio.sleep(self.period_seconds / 4)
            self.look(asyncio.get_running_loop().time())

    def look(self, now: float) -> None:
        """Cut off who did not read as fast as everybody must."""
        full = [connection for connection in self._connections if connection.is_full]
        self._readings = {each: self._reading(each, now) for each in full}
        for connection, reading in list(self._readings.items()):
            if now - reading.since < self.period_seconds:
                continue
            if reading.speed(now, connection.unread_bytes) < MIN_BYTES_PER_SECOND:
                self._cut(connection)
            else:
                reading.since, reading.size = now, connection.unread_bytes

    def filled(self, connection: Connection) -> None:
        """A connection's buffer is full. When all of them hold too much, the slowest goes."""
        now = asyncio.get_running_loop().time()
        self._readings[connection] = self._reading(connection, now)
        while sum(reading.first_size for reading in self._readings.values()) > self.max_bytes:
            self._cut(min(self._readings, key=lambda each: self._pace(each, now)))

    def drained(self, connection: Connection) -> None:
        """A connection's buffer has room again, or the connection is gone."""
        self._readings.pop(connection, None)

    def _reading(self, connection: Connection, now: float) -> _Reading:
        unread = connection.unread_bytes
        return self._readings.get(connection) or _Reading(now, unread, unread)

    def _pace(self, connection: Connection, now: float) -> float:
        reading = self._readings[connection]
        taken = reading.size - connection.unread_bytes
        return (taken + GRACE_BYTES) / (now - reading.since + 0.1)

    def _cut(self, connection: Connection) -> None:
        self._readings.pop(connection, None)
        connection.abort()
