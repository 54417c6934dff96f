"""How an event is stored and read back: pydantic to bytes under an explicit topic."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.model import Envelope, Event, Recorded, Upcaster


class UnknownTopic(LookupError):
    """An event of a topic that this version of the program does not know."""


class UndecodableEvent(Event):
    """An event that this program cannot read; its topic and the reason stand in for it."""

    stored_topic: str
    reason: str


Row = tuple[int, UUID, int, str, bytes, bytes, datetime]
COLUMNS = "notification_id, originator_id, originator_version, topic, state, metadata, recorded_at"


class Mapper:
    """Events to stored bytes and back. Evolution of stored forms happens here, by upcasters."""

    def __init__(self) -> None:
        self._readers: dict[str, Callable[[bytes], Event]] = {}

    def state(self, event: Event) -> bytes:
        return event.__pydantic_serializer__.to_json(event)

    def envelope(self, envelope: Envelope) -> bytes:
        return orjson.dumps(envelope)

    def event(self, topic: str, state: bytes) -> Event:
        """The event of a stored state. Raises UnknownTopic or ValueError."""
        read = self._readers.get(topic)
        if read is None:
            read = self._readers[topic] = _reader(topic)
        return read(state)

    def recorded(
        self,
        position: int,
        stream_id: UUID,
        version: int,
        topic: str,
        state: bytes,
        metadata: bytes,
        recorded_at: datetime,
    ) -> Recorded:
        """The record of a row; one that cannot be read holds an UndecodableEvent."""
        event = self._event_or_reason(topic, state)
        return Recorded(event, stream_id, version, position, recorded_at, metadata)

    def records(self, rows: Iterable[Row]) -> list[Recorded]:
        """The records of rows that were selected by COLUMNS: `recorded` without a call for each,
        because whoever replays the log waits for this."""
        readers = self._readers
        found = []
        for position, stream_id, version, topic, state, metadata, recorded_at in rows:
            try:
                event = readers[topic](state)
            except (KeyError, ValueError):
                event = self._event_or_reason(topic, state)
            found.append(Recorded(event, stream_id, version, position, recorded_at, metadata))
        return found

    def _event_or_reason(self, topic: str, state: bytes) -> Event:
        try:
            return self.event(topic, state)
        except (UnknownTopic, ValueError) as error:
            return UndecodableEvent(stored_topic=topic, reason=f"{type(error).__name__}: {error}")


def _reader(topic: str) -> Callable[[bytes], Event]:
    kind = Event.topics.get(topic)
    if kind is None:
        raise UnknownTopic(topic)
    upcast = Event.upcasters.get(topic)
    if upcast is None:
        return kind.__pydantic_validator__.validate_json
    return lambda state: kind.model_validate_json(orjson.dumps(_upcast(upcast, state)))


def _upcast(upcast: Upcaster, state: bytes) -> dict[str, Any]:
    try:
        return upcast(orjson.loads(state))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"its upcaster cannot read it: {error!r}") from error
