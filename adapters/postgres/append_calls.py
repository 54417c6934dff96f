"""The two calls by which requests become rows: one event alone, and everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

import orjson

from adapters.postgres.arrays import Byteas, Int4s, Int8s, Texts, Uuids
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
ONE = b"select * from log.append_one($1, $2, $3, $4, $5, $6, $7)"
EVERYTHING = b"select * from log.append(%s)" % b", ".join(b"$%d" % n for n in range(1, 23))

Event = tuple[bytes, int, bytes, bytes, bytes, bytes, bool]
"""(stream, version, topic, state, metadata, content hash, whether it is the first on its stream)"""
Verdict = Appended | AppendConflict | ClaimTaken | CommandSeen

_INT8 = Struct("!q")
_LOCK = _INT8.pack(LOCK_KEY)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts time in microseconds from here."""


@dataclass(slots=True)
class Encoded:
    """An append as it goes to the database; streams are the 16 bytes of their ids."""

    append: Append
    events: list[Event]
    guards: list[tuple[bytes, int]]
    """Streams that get no event and must stand at that version all the same."""

    @property
    def is_one_event_alone(self) -> bool:
        append = self.append
        return len(self.events) == 1 and not (
            self.guards or append.claims or append.documents or append.command
        )


async def write(calls: PreparedCalls, batch: Sequence[Encoded]) -> list[Verdict]:
    """Write a batch durably, each request on its own; a verdict for each."""
    if len(batch) == 1 and batch[0].is_one_event_alone:
        return [await _write_one(calls, batch[0])]
    verdicts: dict[int, Verdict] = {}
    left = list(range(len(batch)))
    while left:
        written = await _write_all(calls, [batch[n] for n in left])
        verdicts |= {left[n]: verdict for n, verdict in written.items()}
        left = [n for n in left if n not in verdicts]
    return [verdicts[n] for n in range(len(batch))]


async def _write_one(calls: PreparedCalls, request: Encoded) -> Verdict:
    stream_id, version, *rest, _ = request.events[0]
    row = await calls.row(ONE, [stream_id, _INT8.pack(version), *rest, _LOCK])
    return _appended(row) if row else AppendConflict()


async def _write_all(calls: PreparedCalls, batch: Sequence[Encoded]) -> dict[int, Verdict]:
    """What came of each request; when some are refused, of those alone: nothing is written then."""
    row = await calls.row(EVERYTHING, [*_events(batch), *_beside(batch), _LOCK])
    assert row is not None
    *place, refusals = row
    if refusals is not None:
        return _refused(orjson.loads(refusals[1:]))
    position, recorded_at = _appended(place)
    verdicts: dict[int, Verdict] = {}
    for n, request in enumerate(batch):
        position += len(request.events)
        verdicts[n] = Appended(position if request.events else 0, recorded_at)
    return verdicts


def _refused(refusals: Sequence[dict[str, Any]]) -> dict[int, Verdict]:
    """One refusal for each request: a command that was seen, else a conflict, else a claim."""
    verdicts: dict[int, Verdict] = {}
    for told in refusals:
        if "command" in told:
            verdicts[told["request"]] = CommandSeen()
        elif "key" in told:
            verdicts.setdefault(told["request"], ClaimTaken(told["key"], UUID(told["holder"])))
        else:
            verdicts[told["request"]] = AppendConflict()
    return verdicts


def _appended(row: Row) -> Appended:
    position, microseconds = (_INT8.unpack(value)[0] for value in row if value is not None)
    return Appended(position, _EPOCH + timedelta(microseconds=microseconds))


def _events(batch: Sequence[Encoded]) -> list[bytes | None]:
    events = [event for request in batch for event in request.events]
    columns = zip(*events, strict=True) if events else [()] * 7
    streams, versions, topics, states, metadata, contents, _ = columns
    guards = [(n, *guard) for n, request in enumerate(batch) for guard in request.guards]
    return [
        Int4s.pack([n if event[6] else -1 for n, r in enumerate(batch) for event in r.events]),
        Uuids.pack(streams),
        Int8s.pack(versions),
        Texts.pack(topics),
        Byteas.pack(states),
        Byteas.pack(metadata),
        Byteas.pack(contents),
        Int4s.pack([guard[0] for guard in guards]),
        Uuids.pack([guard[1] for guard in guards]),
        Int8s.pack([guard[2] for guard in guards]),
    ]


def _beside(batch: Sequence[Encoded]) -> list[bytes | None]:
    claims = [(n, claim) for n, request in enumerate(batch) for claim in request.append.claims]
    documents = [document for request in batch for document in request.append.documents]
    return [
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
