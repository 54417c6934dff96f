"""A message is a stored event as it stands in the log, under CloudEvents 1.0 headers (binary mode).

Its value is the stored state, in which secrets are sealed; the envelope is a header beside it.
A watermark is a message without a value: all positions up to its own have been sent before it. It
has the leaf hash of the event at its position, which that of an event follows from.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha1
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson

from domain.merkle import event_leaf
from domain.model import Event, Recorded

Header = tuple[str, bytes]
Headers = list[Header]
Decode = Callable[[int, UUID, int, str, bytes, bytes, datetime], Recorded]
"""From position, stream, version, topic, state, metadata and recorded_at, as the log has them."""

SOURCE = b"/quarterdeck"
NO_WORKSPACE = b"-"

_SPEC = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", SOURCE)
_WORKSPACE_FIRST = b'{"workspace_id":"'
_JSON = ("content-type", b"application/json")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAF_EPOCH = (datetime(2000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


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
    at = _instant(stored.recorded_at)
    version = b"%d" % stored.version
    headers = [
        _SPEC,
        ("ce_id", _event_id(stored.stream_id, version)),
        _SOURCE,
        _type(stored.topic),
        ("ce_subject", str(stored.stream_id).encode()),
        at.ce_time,
        _JSON,
        ("position", b"%d" % stored.position),
        ("version", version),
        at.recorded_at,
        ("metadata", stored.metadata_json),
    ]
    return Message(key(stored.metadata_json), stored.state, at.milliseconds, headers)


def watermark(position: int, leaf: bytes | None = None) -> Message:
    """The message that says: everything up to this position has been sent.

    That of 0 stands at the beginning of each partition.
    """
    headers = [("position", b"%d" % position)]
    return Message(NO_WORKSPACE, None, None, [*headers, ("leaf", leaf)] if leaf else headers)


def key(metadata: bytes) -> bytes:
    """The workspace's id, so that a workspace is in order; `-` for what belongs to none."""
    if metadata.startswith(_WORKSPACE_FIRST):
        return metadata[len(_WORKSPACE_FIRST) : len(_WORKSPACE_FIRST) + 36]
    try:
        workspace_id = orjson.loads(metadata).get("workspace_id")
    except (ValueError, AttributeError):
        return NO_WORKSPACE
    return str(workspace_id).encode() if workspace_id else NO_WORKSPACE


def position(received: Received) -> int:
    """The position that a message stands for."""
    return int(dict(received.headers)["position"])


def leaf(received: Received) -> bytes | None:
    """The leaf hash of the event at the position of a message; None where it is not known."""
    headers = dict(received.headers)
    if received.value is None:
        return headers.get("leaf")
    return event_leaf(
        int(headers["position"]),
        int(headers["recorded_at"]) - _LEAF_EPOCH,
        UUID(headers["ce_subject"].decode()),
        int(headers["version"]),
        headers["ce_type"].decode(),
        headers["metadata"],
        received.value,
    )


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


class _Instant(NamedTuple):
    ce_time: Header
    recorded_at: Header
    milliseconds: int


@lru_cache(maxsize=256)
def _instant(recorded_at: datetime) -> _Instant:
    """The forms of a moment, which all events of a commit share."""
    microseconds = (recorded_at - _EPOCH) // _MICROSECOND
    text = recorded_at.astimezone(UTC).isoformat().encode()
    return _Instant(("ce_time", text), ("recorded_at", b"%d" % microseconds), microseconds // 1000)


@lru_cache(maxsize=1024)
def _type(topic: str) -> Header:
    return ("ce_type", topic.encode())


def _event_id(stream_id: UUID, version: bytes) -> bytes:
    """The text of domain.model.event_id, in a fifth of its time."""
    x = sha1(stream_id.bytes + version, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(x[16], 16) & 3]
    return f"{x[:8]}-{x[8:12]}-5{x[13:16]}-{variant}{x[17:20]}-{x[20:32]}".encode()
