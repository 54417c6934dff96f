"""What holds for every event: it is stored, read for ever, audited, and tells no secret."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError, to_json

import domain
from adapters.postgres.mapper import Mapper, UndecodableEvent, UnknownTopic
from domain.audit import audit_line
from domain.model import SYSTEM, Envelope, Event, Metadata, Recorded
from domain.secrets import Secret
from domain.users import SignInLinkUsed
from tests.support.builders import any_of

RELEASED = Path(__file__).parent / "released_events"
TOPICS = sorted(Event.topics)
WITH_SECRETS = [topic for topic in TOPICS if Event.topics[topic].holds_secrets]
STREAM = UUID(int=9)
NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
NOTHING = SignInLinkUsed(session_id=STREAM)
mapper = Mapper()
few = settings(max_examples=8, deadline=None)


def sealed(event: Event, token: str = "1|sealed") -> Event:
    """The event as the vault gives it back, with tokens for secrets."""
    return event.with_secrets(lambda path, _: Secret(token=f"{token}|{path}"))


def holds_an_open_secret(event: Event) -> bool:
    found: list[Secret] = []

    def note(_: str, secret: Secret) -> Secret:
        found.append(secret)
        return secret

    event.with_secrets(note)
    return bool(found)


def recorded(event: Event) -> Recorded:
    return Recorded(event, STREAM, 1, 1, NOON, b"{}")


def test_the_domain_knows_every_topic_of_its_modules() -> None:
    assert domain.__all__
    assert len(TOPICS) >= 40
    assert not [t for t in TOPICS if not t.islower() or t.count(".") != 1]


@pytest.mark.parametrize("topic", TOPICS)
@few
@given(st.data())
def test_an_event_is_read_as_it_was_written(topic: str, data: st.DataObject) -> None:
    event = sealed(data.draw(any_of(Event.topics[topic])))
    state = mapper.state(event)
    json.loads(state)
    again = mapper.event(topic, state)
    assert type(again) is type(event)
    assert again == event
    assert mapper.state(again) == state


@pytest.mark.parametrize("topic", WITH_SECRETS)
@few
@given(st.data())
def test_an_open_secret_is_never_written_down(topic: str, data: st.DataObject) -> None:
    event = data.draw(any_of(Event.topics[topic]).filter(holds_an_open_secret))
    with pytest.raises(PydanticSerializationError, match="SecretIsOpen"):
        mapper.state(event)
    with pytest.raises(PydanticSerializationError, match="SecretIsOpen"):
        event.model_dump_json()


@pytest.mark.parametrize("topic", TOPICS)
@few
@given(st.data())
def test_what_the_audit_tells_is_json_without_a_secret(topic: str, data: st.DataObject) -> None:
    drawn = data.draw(any_of(Event.topics[topic]))
    given_just_now = drawn.with_secrets(lambda *_: Secret("swordfish"))
    for event in (given_just_now, sealed(drawn, "swordfish")):
        assert "swordfish" not in repr(event)
        audited = event.audited()
        if audited is None:
            continue
        line = audit_line(recorded(event), UTC)
        assert line is not None
        told = to_json(audited).decode()
        assert set(json.loads(line)["audited_changes"]) == set(audited.audited_changes)
        assert "swordfish" not in told + line


@pytest.mark.parametrize("topic", TOPICS)
def test_a_released_event_is_read_for_ever(topic: str) -> None:
    sample = RELEASED / f"{topic}.json"
    assert sample.exists(), f"keep a sample of {topic} in {RELEASED.name}/: what was once stored"
    stored = json.loads(sample.read_text())
    event = mapper.event(topic, json.dumps(stored).encode())
    assert isinstance(event, Event.topics[topic])
    if topic == event.topic:
        assert what_stood(stored, json.loads(mapper.state(event))) == stored


def what_stood(then: Any, now: Any) -> Any:
    """Of what is written now, what was written then: a field that came later is left out."""
    if isinstance(then, dict) and isinstance(now, dict):
        return {name: what_stood(then[name], now[name]) for name in then if name in now}
    return now


def test_no_topic_that_was_released_is_forgotten() -> None:
    assert {path.stem for path in RELEASED.iterdir()} <= set(TOPICS)


def test_a_topic_that_is_not_known_is_undecodable_and_not_fatal() -> None:
    with pytest.raises(UnknownTopic):
        mapper.event("cluster.turned_into_a_frog", b"{}")
    read = mapper.recorded(7, STREAM, 3, "cluster.turned_into_a_frog", b"{}", b"{}", NOON)
    assert isinstance(read.event, UndecodableEvent)
    assert read.event.stored_topic == "cluster.turned_into_a_frog"
    assert (read.position, read.stream_id, read.version) == (7, STREAM, 3)


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"null", b'{"name": 5}', b'{"x": 1}', b"\xff"])
def test_a_state_that_cannot_be_read_is_undecodable_and_not_fatal(state: bytes) -> None:
    read = mapper.recorded(7, STREAM, 3, "workspace.renamed", state, b"{}", NOON)
    assert isinstance(read.event, UndecodableEvent)
    assert read.event.stored_topic == "workspace.renamed"
    assert read.event.audited() is None


@pytest.fixture
def renamed_topic() -> Iterator[Any]:
    """An event whose first form was stored under another topic and with another field."""

    def colour_from_hue(state: dict[str, Any]) -> dict[str, Any]:
        return {"colour": state["hue"].lower()}

    class LampTinted(Event, topic="test_lamp.tinted", upcasts={"test_lamp.hued": colour_from_hue}):
        colour: str
        brightness: int = 5

    yield LampTinted
    for topic in ("test_lamp.tinted", "test_lamp.hued"):
        del Event.topics[topic]
    del Event.upcasters["test_lamp.hued"]


def test_an_older_form_is_upcast_when_it_is_read(renamed_topic: Any) -> None:
    assert mapper.event("test_lamp.hued", b'{"hue": "RED"}') == renamed_topic(colour="red")


def test_the_newer_form_is_not_upcast(renamed_topic: Any) -> None:
    event = mapper.event("test_lamp.tinted", b'{"colour": "RED", "brightness": 9}')
    assert event == renamed_topic(colour="RED", brightness=9)


def test_an_upcaster_that_cannot_read_a_state_is_not_fatal(renamed_topic: Any) -> None:
    read = mapper.recorded(1, STREAM, 1, "test_lamp.hued", b"{}", b"{}", NOON)
    assert isinstance(read.event, UndecodableEvent)


def test_a_topic_belongs_to_one_event(renamed_topic: Any) -> None:
    with pytest.raises(TypeError, match="is taken by LampTinted"):

        class LampPainted(Event, topic="test_lamp.hued"):
            pass


@few
@given(any_of(Metadata))
def test_the_envelope_is_read_as_it_was_written(metadata: Metadata) -> None:
    written = mapper.envelope(envelope_of(metadata))
    read = Recorded(NOTHING, STREAM, 1, 1, NOON, written).metadata
    assert read == metadata
    assert mapper.envelope(envelope_of(read)) == written


def envelope_of(metadata: Metadata) -> Envelope:
    known = cast(Envelope, metadata.model_dump(exclude_none=True, exclude={"actor"}))
    return {**known, "actor": metadata.actor.known}


def test_an_envelope_names_what_there_is_to_know() -> None:
    assert Envelope.__annotations__.keys() == Metadata.model_fields.keys()


def test_an_empty_envelope_is_an_act_of_quarterdeck_itself() -> None:
    assert Recorded(NOTHING, STREAM, 1, 1, NOON, b"{}").metadata.actor == SYSTEM
