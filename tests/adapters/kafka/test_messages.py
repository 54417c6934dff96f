"""A message is a CloudEvent of its own, and gives back the record that it was made of."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka.messages import Message, Stored, key, message, position, recorded, watermark
from domain.model import event_id

STREAM = UUID("056f7fe5-7d22-4a76-b5e2-f225c0a99613")
WORKSPACE = UUID("8a0041ef-6c30-48bc-b3ca-e9db3e22be47")
METADATA = json.dumps({"workspace_id": str(WORKSPACE), "workspace": "xcjtd"}).encode()


def received(sent: Message) -> SimpleNamespace:
    return SimpleNamespace(value=sent.value, headers=sent.headers)


@given(stream_id=st.uuids(), version=st.integers(1, 2**31))
def test_the_id_is_that_of_the_event(stream_id: UUID, version: int) -> None:
    stored = Stored(1, stream_id, version, "t", b"", METADATA, datetime.now(UTC))

    assert dict(message(stored).headers)["ce_id"].decode() == str(event_id(stream_id, version))


@given(
    at=st.datetimes(
        min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
    ),
    number=st.integers(1, 2**62),
    version=st.integers(1, 2**31),
    state=st.binary(),
)
def test_a_message_gives_the_record_back(
    at: datetime, number: int, version: int, state: bytes
) -> None:
    stored = Stored(number, STREAM, version, "cluster.created", state, METADATA, at)

    again = recorded(received(message(stored)), Stored)

    assert isinstance(again, Stored)
    for name in ("position", "stream_id", "version", "topic", "state", "metadata_json"):
        assert getattr(again, name) == getattr(stored, name)
    assert again.recorded_at == at


def test_the_headers_are_those_of_cloudevents_in_binary_mode() -> None:
    at = datetime(2025, 6, 18, 11, 22, 15, 123456, tzinfo=UTC)
    stored = Stored(41, STREAM, 3, "cluster.renamed", b"{}", METADATA, at)

    sent = message(stored)

    assert {name: value.decode() for name, value in sent.headers} == {
        "ce_specversion": "1.0",
        "ce_id": str(stored.event_id),
        "ce_source": "/quarterdeck",
        "ce_type": "cluster.renamed",
        "ce_subject": str(STREAM),
        "ce_time": "2025-06-18T11:22:15.123456+00:00",
        "content-type": "application/json",
        "position": "41",
        "version": "3",
        "recorded_at": "1750245735123456",
        "metadata": METADATA.decode(),
    }
    assert sent.timestamp == 1750245735123


def test_a_watermark_is_no_event() -> None:
    sent = received(watermark(41))

    assert position(sent) == 41
    assert recorded(sent, Stored) is None


def test_what_belongs_to_no_workspace_has_a_key_too() -> None:
    assert key(METADATA) == str(WORKSPACE).encode()
    assert key(METADATA.replace(b" ", b"")) == str(WORKSPACE).encode()
    for metadata in (b"{}", b'{"workspace_id":null}', b"", b"[]", b"\xff"):
        assert key(metadata) == b"-"
    assert key(json.dumps({"workspace_id": str(uuid4())}).encode()) != b"-"
