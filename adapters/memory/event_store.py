"""An event log in memory, which keeps the promises of the real one and judges as it does."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from application.ports import (
    Append,
    AppendConflict,
    Appended,
    ClaimTaken,
    Clock,
    CommandOutcome,
    CommandSeen,
)
from domain.model import Event, Recorded


class InMemoryEventStore:
    """ports.EventStore. Events are kept as JSON, so that what cannot be stored is not."""

    def __init__(self, clock: Clock) -> None:
        self.records: list[Recorded] = []
        self.claims: dict[str, UUID] = {}
        self.documents: dict[str, bytes] = {}
        self._clock = clock
        self._streams: dict[UUID, list[Recorded]] = {}
        self._commands: dict[str, CommandOutcome] = {}
        self._snapshots: dict[tuple[UUID, str], tuple[int, bytes]] = {}
        self._recorded_at: datetime | None = None

    async def append(self, append: Append) -> Appended:
        await asyncio.sleep(0)
        stored = [_stored(event) for stream in append.streams for event in stream.events]
        self._judge(append)
        self._recorded_at = max(self._clock.now(), self._recorded_at or self._clock.now())
        for claim in sorted(append.claims, key=lambda claim: claim.holder is not None):
            if claim.holder is None:
                self.claims.pop(claim.key, None)
            else:
                self.claims.setdefault(claim.key, claim.holder)
        for document in append.documents:
            self.documents.setdefault(document.ref.digest, document.body)
        self._write(append, stored, self._recorded_at)
        position = len(self.records) if stored else 0
        if append.command is not None:
            self._commands[append.command.command_id] = CommandOutcome(
                append.command.fingerprint, append.command.result, position
            )
        return Appended(position, self._recorded_at)

    def _judge(self, append: Append) -> None:
        if append.command is not None and append.command.command_id in self._commands:
            raise CommandSeen
        for stream in append.streams:
            if len(self._stream(stream.stream_id)) != stream.expected:
                raise AppendConflict
        for claim in append.claims:
            holder = self.claims.get(claim.key, claim.holder)
            if claim.holder is not None and holder is not None and holder != claim.holder:
                raise ClaimTaken(claim.key, holder)

    def _write(self, append: Append, stored: Sequence[bytes], recorded_at: datetime) -> None:
        states = iter(stored)
        metadata = orjson.dumps(append.envelope)
        for stream in append.streams:
            for version, event in enumerate(stream.events, start=stream.expected + 1):
                read = type(event).model_validate_json(next(states))
                position = len(self.records) + 1
                recorded = Recorded(
                    read, stream.stream_id, version, position, recorded_at, metadata
                )
                self.records.append(recorded)
                self._streams.setdefault(stream.stream_id, []).append(recorded)

    def _stream(self, stream_id: UUID) -> list[Recorded]:
        return self._streams.get(stream_id, [])

    async def load(self, stream_id: UUID, after: int = 0) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return self._stream(stream_id)[after:]

    async def read(self, after: int = 0, limit: int = 500, upto: int = 2**62) -> Sequence[Recorded]:
        """Up to `limit` records at positions above `after`, in order."""
        return self.records[after : min(after + limit, upto)]

    async def head(self) -> int:
        """The position of the last event; 0 for an empty log."""
        return len(self.records)

    async def holder(self, key: str) -> UUID | None:
        return self.claims.get(key)

    async def outcome(self, command_id: str) -> CommandOutcome | None:
        return self._commands.get(command_id)

    async def snapshot(self, stream_id: UUID, topic: str) -> tuple[int, bytes] | None:
        return self._snapshots.get((stream_id, topic))

    async def save_snapshot(self, stream_id: UUID, version: int, topic: str, state: bytes) -> None:
        if version > self._snapshots.get((stream_id, topic), (0, b""))[0]:
            self._snapshots[stream_id, topic] = (version, state)


def _stored(event: Event) -> bytes:
    return event.model_dump_json().encode()
