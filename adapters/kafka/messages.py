"""A message is a stored event as it stands in the log, under CloudEvents 1.0 headers (binary mode).

Its value is the stored state, in which secrets are sealed; the envelope is a header beside it.
A watermark is a message without a value: all positions up to its own have been sent before it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson

from domain.model import Event, Recorded, event_id

Headers = list[tuple[str, bytes]]
Decode = Callable[[int, UUID, int, str, bytes, bytes, datetime], Recorded]
"""From position, stream, version, topic, state, metadata and recorded_at, as the log has them."""

SOURCE = b"/quarterdeck"
NO_WORKSPACE = b"-"

_SPEC = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", SOURCE)
_JSON = ("content-type", b"application/json")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NotDecoded(Event):
    """Stands where nobody has looked at the event."""


_NOT_DECODED = NotDecoded()


class Stored(Recorded):
    """A record whose event is as the log has it: a Decode that decodes nothing."""

    __slots__ = ("state", "topic")

    def __init__(
        self,
        position: int,
        stream_id: UUID,
        version: int,
        topic: str,
        state: bytes,
        metadata: bytes,
        recorded_at: datetime,
    ) -> None:
        super().__init__(_NOT_DECODED, stream_id, version, position, recorded_at, metadata)
        self.topic = topic
        self.state = state


class Message(NamedTuple):
    """What is appended to a batch; the timestamp is in milliseconds since 1970."""

    key: bytes
    value: bytes | None
    timestamp: int | None
    headers: Headers


class Received(Protocol):
    """What is read of a consumed message."""

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


def message(stored: Stored) -> Message:
    """The message of a stored event."""
    microseconds = (stored.recorded_at - _EPOCH) // _MICROSECOND
    headers = [
        _SPEC,
        ("ce_id", str(event_id(stored.stream_id, stored.version)).encode()),
        _SOURCE,
        ("ce_type", stored.topic.encode()),
        ("ce_subject", str(stored.stream_id).encode()),
        ("ce_time", stored.recorded_at.astimezone(UTC).isoformat().encode()),
        _JSON,
        ("position", b"%d" % stored.position),
        ("version", b"%d" % stored.version),
        ("recorded_at", b"%d" % microseconds),
        ("metadata", stored.metadata_json),
    ]
    return Message(key(stored.metadata_json), stored.state, microseconds // 1000, headers)


def watermark(position: int) -> Message:
    """The message that says: everything up to this position has been sent."""
    return Message(NO_WORKSPACE, None, None, [("position", b"%d" % position)])


def key(metadata: bytes) -> bytes:
    """The workspace's id, so that a workspace is in order; `-` for what belongs to none."""
    try:
        workspace_id = orjson.loads(metadata).get("workspace_id")
    except (ValueError, AttributeError):
        return NO_WORKSPACE
    return str(workspace_id).encode() if workspace_id else NO_WORKSPACE


def position(received: Received) -> int:
    """The position that a message stands for."""
    return int(dict(received.headers)["position"])


def recorded(received: Received, decode: Decode) -> Recorded | None:
    """The record of a message; None for a watermark."""
    if received.value is None:
        return None
    headers = dict(received.headers)
    return decode(
        int(headers["position"]),
        UUID(headers["ce_subject"].decode()),
        int(headers["version"]),
        headers["ce_type"].decode(),
        received.value,
        headers["metadata"],
        _EPOCH + int(headers["recorded_at"]) * _MICROSECOND,
    )
