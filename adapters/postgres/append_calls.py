"""The three calls by which requests become rows: one event, events alone, and everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from adapters.postgres.arrays import Byteas, Int4s, Int8s, Texts, Uuids
from application.ports import (
    Append,
    AppendConflict,
    Appended,
    ClaimTaken,
    CommandSeen,
)

LOCK_KEY = 0x7175_6172_7465_7264
"""The advisory lock of the log: "quarterd"."""
ONE = "select * from log.append_one(%b, %b, %b, %b, %b, %b, %b)"
EVENTS = f"select * from log.append_events({', '.join(['%b'] * 12)})"
EVERYTHING = f"select * from log.append({', '.join(['%b'] * 23)})"

Event = tuple[UUID, int, str, bytes, bytes, bytes]
"""(stream, version, topic, state, metadata, content hash)"""
Verdict = Appended | AppendConflict | ClaimTaken | CommandSeen
Connection = psycopg.AsyncConnection[Any]


@dataclass(slots=True)
class Encoded:
    """An append as it goes to the database."""

    append: Append
    events: list[Event]
    expected: list[tuple[UUID, int]]

    @property
    def is_events_alone(self) -> bool:
        append = self.append
        return not (append.claims or append.documents or append.command)

    @property
    def is_next_alone(self) -> bool:
        """One event that is the next version of its stream, which no other stream guards."""
        return (
            len(self.events) == len(self.expected) == 1
            and self.events[0][1] == self.expected[0][1] + 1
        )


async def write(connection: Connection, batch: Sequence[Encoded]) -> list[Verdict]:
    """Write a batch durably, each request on its own; a verdict for each."""
    if not all(request.is_events_alone for request in batch):
        return await _write_everything(connection, batch)
    if len(batch) == 1 and batch[0].is_next_alone:
        return [await _write_one(connection, batch[0])]
    return await _write_events(connection, batch)


async def _write_one(connection: Connection, request: Encoded) -> Verdict:
    stream_id, _, topic, state, metadata, content = request.events[0]
    expected = request.expected[0][1]
    row = await _row(
        connection, ONE, [stream_id, expected, topic, state, metadata, content, LOCK_KEY]
    )
    return Appended(*row) if row else AppendConflict()


async def _write_events(connection: Connection, batch: Sequence[Encoded]) -> list[Verdict]:
    row = await _row(connection, EVENTS, [*_events(batch), len(batch), LOCK_KEY])
    assert row is not None
    conflicts, places, recorded_at = set(row[0]), row[1], row[2]
    verdicts: list[Verdict] = []
    end = -1
    for number, request in enumerate(batch, start=1):
        if number in conflicts:
            verdicts.append(AppendConflict())
        else:
            end += len(request.events)
            verdicts.append(Appended(places[end] if request.events else 0, recorded_at))
    return verdicts


async def _write_everything(connection: Connection, batch: Sequence[Encoded]) -> list[Verdict]:
    row = await _row(
        connection, EVERYTHING, [*_events(batch), *_beside(batch), len(batch), LOCK_KEY]
    )
    assert row is not None
    codes, positions, keys, holders, recorded_at = row
    verdicts: list[Verdict] = []
    for code, position, key, holder in zip(codes, positions, keys, holders, strict=True):
        match code:
            case 0:
                verdicts.append(Appended(position, recorded_at))
            case 1:
                verdicts.append(AppendConflict())
            case 2:
                verdicts.append(ClaimTaken(key, holder))
            case _:
                verdicts.append(CommandSeen())
    return verdicts


async def _row(connection: Connection, sql: str, parameters: list[object]) -> Any:
    cursor = connection.cursor(binary=True)
    await cursor.execute(sql, parameters, prepare=True)
    return await cursor.fetchone()


def _events(batch: Sequence[Encoded]) -> list[object]:
    numbered = list(enumerate(batch, start=1))
    numbers = [n for n, request in numbered for _ in request.events]
    events = [event for request in batch for event in request.events]
    columns = zip(*events, strict=True) if events else [()] * 6
    streams, versions, topics, states, metadata, contents = columns
    x = [(n, *expected) for n, request in numbered for expected in request.expected]
    return [
        Int4s.pack(numbers),
        Uuids.pack(streams),
        Int8s.pack(versions),
        Texts.pack([topic.encode() for topic in topics]),
        Byteas.pack(states),
        Byteas.pack(metadata),
        Byteas.pack(contents),
        Int4s.pack([row[0] for row in x]),
        Uuids.pack([row[1] for row in x]),
        Int8s.pack([row[2] for row in x]),
    ]


def _beside(batch: Sequence[Encoded]) -> list[object]:
    numbered = list(enumerate(batch, start=1))
    claims = [(n, c) for n, request in numbered for c in request.append.claims]
    documents = [(n, d) for n, request in numbered for d in request.append.documents]
    commands = [(n, r.append.command) for n, r in numbered if r.append.command is not None]
    return [
        Int4s.pack([n for n, _ in claims]),
        Texts.pack([claim.key.encode() for _, claim in claims]),
        Uuids.pack([claim.holder for _, claim in claims]),
        Int4s.pack([n for n, _ in documents]),
        Byteas.pack([bytes.fromhex(document.ref.digest) for _, document in documents]),
        Int8s.pack([document.ref.size for _, document in documents]),
        Byteas.pack([document.body for _, document in documents]),
        Int4s.pack([n for n, _ in commands]),
        Texts.pack([command.command_id.encode() for _, command in commands]),
        Byteas.pack([command.fingerprint for _, command in commands]),
        Byteas.pack([command.result for _, command in commands]),
    ]
