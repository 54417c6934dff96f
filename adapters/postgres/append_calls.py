"""The two calls by which requests become rows: one event alone, and everything."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

import orjson

from adapters.postgres.arrays import (
    Byteas,
    Int4s,
    Int8s,
    Texts,
    Uuids,
    eight,
    sixteen,
    sized,
    unsized,
)
from adapters.postgres.prepared_calls import PreparedCalls, Row
from application.ports import (
    Append,
    AppendConflict,
    Appended,
    ClaimTaken,
    CommandSeen,
)

LOCK_KEY = 0x7175_6172_7465_7264
"""The advisory lock of the log: "quarterd"."""
ONE = b"select * from log.append_one($1, $2, $3, $4, $5, $6)"
EVERYTHING = b"select * from log.append(%s)" % b", ".join(b"$%d" % n for n in range(1, 22))

Verdict = Appended | AppendConflict | ClaimTaken | CommandSeen

_INT8 = Struct("!q")
_LOCK = _INT8.pack(LOCK_KEY)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts time in microseconds from here."""

Event = tuple[bytes, bytes, bytes, bytes, bytes]
"""(stream, version, topic, state, metadata), each as an element of an array."""


_TOPICS: dict[str, bytes] = {}
"""Each topic as an element."""


def packed(stream: bytes, version: int, topic: str, state: bytes, envelope: bytes) -> Event:
    """An event as it goes to the database: packed when it comes, not when its batch is sent.

    The envelope is an element already, because the events of an append share it.
    """
    return (
        sixteen(stream),
        eight(version),
        _TOPICS.get(topic) or _TOPICS.setdefault(topic, sized(topic.encode())),
        sized(state),
        envelope,
    )


def said_of(event: Event) -> list[object]:
    """The same as a statement's parameters: stream, version, topic, state, metadata."""
    stream, version, topic, state, metadata = (unsized(element) for element in event)
    return [UUID(bytes=stream), int.from_bytes(version), topic.decode(), state, metadata]


@dataclass(slots=True)
class Encoded:
    """An append as it goes to the database; streams are the 16 bytes of their ids."""

    append: Append
    events: list[Event]
    starts: list[bool]
    """Of each event, whether it is the first on its stream."""
    guards: list[tuple[bytes, int]]
    """Streams that get no event and must stand at that version all the same."""
    has_more: bool = field(default=False, kw_only=True)
    """Whether anything goes with its events: guards, claims, documents or a command."""
    history: int = field(default=0, kw_only=True)
    """On which of the histories that the writer has met it was decided."""
    verdict: "Verdict | BaseException | None" = field(default=None, kw_only=True)


async def write(calls: PreparedCalls, batch: Sequence[Encoded]) -> None:
    """Write a batch durably, and give each request its verdict."""
    if len(batch) == 1 and len(batch[0].events) == 1 and not batch[0].has_more:
        batch[0].verdict = await _write_one(calls, batch[0])
        return
    while batch:
        row = await calls.row(EVERYTHING, [*_events(batch), *_beside_of(batch), _LOCK])
        assert row is not None
        *place, refusals = row
        if refusals is None:
            _tell_places(batch, *_appended(place))
            return
        _tell_refusals(batch, orjson.loads(refusals[1:]))
        batch = [request for request in batch if request.verdict is None]


async def _write_one(calls: PreparedCalls, request: Encoded) -> Verdict:
    row = await calls.row(ONE, [*(unsized(element) for element in request.events[0]), _LOCK])
    return _appended(row) if row else AppendConflict()


def _tell_places(batch: Sequence[Encoded], position: int, recorded_at: datetime) -> None:
    """Their events stand behind that position, in order."""
    for request in batch:
        position += len(request.events)
        request.verdict = Appended(position if request.events else 0, recorded_at)


def _tell_refusals(batch: Sequence[Encoded], refusals: Sequence[dict[str, Any]]) -> None:
    """Nothing was written. A command that was seen goes before a conflict, that before a claim."""
    for told in refusals:
        request = batch[told["request"]]
        if "command" in told:
            request.verdict = CommandSeen()
        elif "key" not in told:
            request.verdict = AppendConflict()
        elif request.verdict is None:
            request.verdict = ClaimTaken(told["key"], UUID(told["holder"]))


def _appended(row: Row) -> Appended:
    position, microseconds = (_INT8.unpack(value)[0] for value in row if value is not None)
    return Appended(position, _EPOCH + timedelta(microseconds=microseconds))


def _events(batch: Sequence[Encoded]) -> list[bytes | None]:
    events = [event for request in batch for event in request.events]
    columns = zip(*events, strict=True) if events else [()] * 5
    streams, versions, topics, states, metadata = columns
    count = len(events)
    return [
        Int4s.pack([n if is_first else -1 for n, r in enumerate(batch) for is_first in r.starts]),
        Uuids.of(count, streams),
        Int8s.of(count, versions),
        Texts.of(count, topics),
        Byteas.of(count, states),
        Byteas.of(count, metadata),
    ]


def _beside_of(batch: Sequence[Encoded]) -> list[bytes | None]:
    """Mostly there is nothing beside the events of a batch."""
    return _beside(batch) if any(r.has_more for r in batch) else _NOTHING


def _beside(batch: Sequence[Encoded]) -> list[bytes | None]:
    guards = [(n, *guard) for n, request in enumerate(batch) for guard in request.guards]
    claims = [(n, claim) for n, request in enumerate(batch) for claim in request.append.claims]
    documents = [document for request in batch for document in request.append.documents]
    return [
        Int4s.pack([guard[0] for guard in guards]),
        Uuids.pack([guard[1] for guard in guards]),
        Int8s.pack([guard[2] for guard in guards]),
        Int4s.pack([n for n, _ in claims]),
        Texts.pack([claim.key.encode() for _, claim in claims]),
        Uuids.pack([None if c.holder is None else c.holder.bytes for _, c in claims]),
        Byteas.pack([bytes.fromhex(document.ref.digest) for document in documents]),
        Int8s.pack([document.ref.size for document in documents]),
        Byteas.pack([document.body for document in documents]),
        *_commands(batch),
    ]


def _commands(batch: Sequence[Encoded]) -> list[bytes | None]:
    commands = []
    last = 0
    for n, request in enumerate(batch):
        last += len(request.events)
        if (command := request.append.command) is not None:
            commands.append((n, command, last if request.events else 0))
    return [
        Int4s.pack([n for n, _, _ in commands]),
        Texts.pack([command.command_id.encode() for _, command, _ in commands]),
        Byteas.pack([command.fingerprint for _, command, _ in commands]),
        Byteas.pack([command.result for _, command, _ in commands]),
        Int4s.pack([last for _, _, last in commands]),
    ]


_NOTHING = _beside([])
