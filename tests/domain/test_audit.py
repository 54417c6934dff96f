"""Audit lines are those of the product's own log, byte for byte, and ours end with the position."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit import CannotBeTold, audit_line, audit_nanoseconds
from domain.cluster_settings import ClusterSettingsCreated, Settings
from domain.clusters import (
    ClusterArchived,
    ClusterConfigured,
    ClusterCreated,
    ClusterRendered,
    Configuration,
)
from domain.model import Action, Actor, Audited, Event, Metadata, Recorded
from domain.secrets import MASK, Secret
from domain.tasks import TaskPhaseEnded
from domain.values import ChangeMode

MOSCOW = timezone(timedelta(hours=3))
AUTO = Settings(change_mode=ChangeMode.AUTO, check_interval=1)

# Commander 1.9 and later.
JSON_SAMPLES = """\
{"level":"INFO","time":"2025-06-18 14:22:15 +0300","request_id":"ea09d409dc3c95dcf658fc2c2838084b","pid":19,"tags":["audit"],"auditable_type":"ClusterSettings","auditable_id":"8a0041ef-6c30-48bc-b3ca-e9db3e22be47","action":"create","user_type":"User","remote_address":"82.150.57.81","request_uuid":"ea09d409dc3c95dcf658fc2c2838084b","workspace_slug":"xcjtd","user_name":"admin@company.my","audited_changes":{"cluster_manager":{"sync":{"mode":"auto"},"check_interval":1}}}
{"level":"INFO","time":"2025-06-18 14:22:15 +0300","request_id":"ea09d409dc3c95dcf658fc2c2838084b","pid":19,"tags":["audit"],"auditable_type":"Cluster","auditable_id":"056f7fe5-7d22-4a76-b5e2-f225c0a99613","action":"create","user_type":"User","remote_address":"82.150.57.81","request_uuid":"ea09d409dc3c95dcf658fc2c2838084b","workspace_slug":"xcjtd","user_name":"admin@company.my","audited_changes":{"name":"mycluster","archived_at":null}}
{"level":"INFO","time":"2025-06-18 14:23:57 +0300","request_id":"a1eaf50bbc87a8cca4cd17d8be8fffdb","pid":12,"tags":["audit"],"auditable_type":"ClusterSettings","auditable_id":"707c46b1-b2c8-4fab-9392-8216a2058219","action":"create","user_type":"AuthToken","remote_address":"238.106.231.86","request_uuid":"a1eaf50bbc87a8cca4cd17d8be8fffdb","workspace_slug":"bfqcc","user_name":"api-user","audited_changes":{"cluster_manager":{"sync":{"mode":"auto"},"check_interval":1}}}
{"level":"INFO","time":"2025-06-18 14:23:57 +0300","request_id":"a1eaf50bbc87a8cca4cd17d8be8fffdb","pid":12,"tags":["audit"],"auditable_type":"Cluster","auditable_id":"42d432aa-8250-4ef0-b260-51639e1445d0","action":"create","user_type":"AuthToken","remote_address":"238.106.231.86","request_uuid":"a1eaf50bbc87a8cca4cd17d8be8fffdb","workspace_slug":"bfqcc","user_name":"api-user","audited_changes":{"name":"15731486914-1-con-1-30","archived_at":null}}
{"level":"INFO","time":"2025-06-18 14:28:56 +0300","request_id":"069566a46c004e53b686189587d484a9","pid":19,"tags":["audit"],"auditable_type":"ClusterSettings","auditable_id":"402a4d4d-5c14-4466-a1f3-3d990d7cf35a","action":"create","user_type":"User","remote_address":"30.231.184.26","request_uuid":"069566a46c004e53b686189587d484a9","workspace_slug":"xcjtd","user_name":"user@company.my","audited_changes":{"cluster_manager":{"sync":{"mode":"auto"},"check_interval":1}}}
{"level":"INFO","time":"2025-06-18 14:28:56 +0300","request_id":"069566a46c004e53b686189587d484a9","pid":19,"tags":["audit"],"auditable_type":"Cluster","auditable_id":"9ee687d4-18fe-423c-bbaa-e8e46ea47e67","action":"create","user_type":"User","remote_address":"30.231.184.26","request_uuid":"069566a46c004e53b686189587d484a9","workspace_slug":"xcjtd","user_name":"user@company.my","audited_changes":{"name":"mycluster2","archived_at":null}}
{"level":"INFO","time":"2025-06-18 14:29:06 +0300","request_id":"d29b248fbce414db8b71f821a3b1886e","pid":12,"tags":["audit"],"auditable_type":"Cluster","auditable_id":"e0f3c3de-2129-4b75-b927-72a8eb26902b","action":"update","user_type":"User","remote_address":"30.231.184.26","request_uuid":"d29b248fbce414db8b71f821a3b1886e","workspace_slug":"xcjtd","user_name":"user@company.my","audited_changes":{"archived_at":[null,"2025-06-18T14:29:05.943+03:00"]}}
""".splitlines()  # noqa: E501

# The versions before. The first instant of a line was that of its printing, some milliseconds
# after the act; a line that is the same whenever it is printed tells the act's own in both places.
TEXT_SAMPLES = """\
2024-12-18 17:27:17.503 [2024-12-18 17:27:17.466636971] [1ee79b305b5fdbd577231ad6dd8f2951] [12] [audit] {"auditable_type":"ClusterSettings","auditable_id":"7f0e29e8-f427-4c5f-9ecf-de457b2d427f","action":"create","user_type":"User","remote_address":null,"request_uuid":"05a02066-a8e9-4e23-a79f-5e5a32533e61","workspace_slug":"wfqmr","user_name":"admin@deckhouse.io"}
2024-12-18 17:27:17.503 [2024-12-18 17:27:17.471032472] [1ee79b305b5fdbd577231ad6dd8f2951] [12] [audit] {"auditable_type":"Cluster","auditable_id":"b8004e7e-cc57-499c-a1e8-38cc5ba78220","action":"create","user_type":"User","remote_address":null,"request_uuid":"92f4bef8-a9a4-466b-9644-6bdf1775f24c","workspace_slug":"wfqmr","user_name":"admin@deckhouse.io"}
2024-12-18 17:28:29.121 [2024-12-18 17:28:29.115108882] [8ebaca9149c21f8949a877b27bb363f8] [12] [audit] {"auditable_type":"Record","auditable_id":"477b5718-b18b-4468-b95b-700b3068ad91","action":"create","user_type":"User","remote_address":null,"request_uuid":"7b590af2-acfb-4708-a66f-09e42c1f4b7c","workspace_slug":"wfqmr","user_name":"admin@deckhouse.io"}
2024-12-18 17:28:29.148 [2024-12-18 17:28:29.146244011] [612d6c1911933035ff3a4800a9faa6cf] [12] [audit] {"auditable_type":"Record","auditable_id":"9a5ad514-c7cf-41e1-ad12-edadb6fd521c","action":"create","user_type":"User","remote_address":null,"request_uuid":"e462f9da-e879-4795-9506-2dbb747fed08","workspace_slug":"wfqmr","user_name":"admin@deckhouse.io"}
2024-12-18 17:57:12.360 [2024-12-18 17:57:12.358538533] [6472d45c-bdd7-4c08-8159-4c90939ed47c] [12] [audit] {"auditable_type":"Cluster","auditable_id":"b8004e7e-cc57-499c-a1e8-38cc5ba78220","action":"update","user_type":null,"remote_address":null,"request_uuid":"cfe477a3-3a30-49fe-9a59-55f7030b890d","workspace_slug":"wfqmr","user_name":null}
""".splitlines()  # noqa: E501


class RecordCreated(Event):
    """An act of the inventory, which the older samples show."""

    topic: ClassVar[str] = "record.created"

    def audited(self) -> Audited:
        return Audited(auditable_type="Record", action=Action.CREATE, audited_changes={})


def cluster_created(name: str) -> ClusterCreated:
    configuration = Configuration(template_id=uuid4(), template_version_id=uuid4())
    return ClusterCreated(
        workspace_id=uuid4(),
        name=name,
        configuration=configuration,
        ssh_public_key="ssh-ed25519 AAAA",
        ssh_private_key=Secret("a private key"),
    )


def archived(at: str) -> ClusterArchived:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return ClusterArchived(archived_at=moment, archive_number="15")


def settings_created() -> ClusterSettingsCreated:
    return ClusterSettingsCreated(cluster_id=uuid4(), settings=AUTO)


JSON_EVENTS: list[Callable[[dict[str, Any]], Event]] = [
    lambda _: settings_created(),
    lambda changes: cluster_created(changes["name"]),
    lambda _: settings_created(),
    lambda changes: cluster_created(changes["name"]),
    lambda _: settings_created(),
    lambda changes: cluster_created(changes["name"]),
    lambda changes: archived(changes["archived_at"][1]),
]
TEXT_EVENTS: list[Event] = [
    settings_created(),
    cluster_created("mycluster"),
    RecordCreated(),
    RecordCreated(),
    archived("2024-12-18T17:57:12.300+03:00"),
]


def recorded(
    event: Event, *, at: datetime, position: int = 7, stream_id: UUID | None = None, **metadata: Any
) -> Recorded:
    envelope = Metadata(**metadata).model_dump_json().encode()
    return Recorded(event, stream_id or uuid4(), 1, position, at.astimezone(UTC), envelope)


@pytest.mark.parametrize(("sample", "event"), list(zip(JSON_SAMPLES, JSON_EVENTS, strict=True)))
def test_a_line_is_the_sample_with_its_position(
    sample: str, event: Callable[[dict[str, Any]], Event]
) -> None:
    told = json.loads(sample)

    line = audit_line(
        recorded(
            event(told["audited_changes"]),
            at=datetime.strptime(told["time"], "%Y-%m-%d %H:%M:%S %z"),
            position=41,
            stream_id=UUID(told["auditable_id"]),
            actor=Actor(type=told["user_type"], id=uuid4(), name=told["user_name"]),
            request_id=told["request_id"],
            remote_address=told["remote_address"],
            pid=told["pid"],
            workspace=told["workspace_slug"],
        ),
        MOSCOW,
    )

    assert line is not None
    assert line.removesuffix(',"position":41}') + "}" == sample


@pytest.mark.parametrize(("sample", "event"), list(zip(TEXT_SAMPLES, TEXT_EVENTS, strict=True)))
def test_an_older_line_is_the_sample_with_the_acts_own_instant_and_its_position(
    sample: str, event: Event
) -> None:
    brackets, told = (
        sample[:-1].split(" [audit] ")[0].split(" ["),
        json.loads(sample[sample.index("{") :]),
    )
    instant, request_id, pid = (b.removesuffix("]") for b in brackets[1:])
    milliseconds, position = instant[:23], int(instant[23:])

    line = audit_line(
        recorded(
            event,
            at=datetime.fromisoformat(f"{milliseconds}+03:00"),
            position=position,
            stream_id=UUID(told["auditable_id"]),
            actor=Actor(type=told["user_type"], name=told["user_name"]),
            request_id=request_id,
            correlation_id=UUID(told["request_uuid"]),
            pid=int(pid),
            workspace=told["workspace_slug"],
        ),
        MOSCOW,
        "text",
    )

    assert line is not None
    assert line.removesuffix(f',"position":{position}}}') + "}" == milliseconds + sample[23:]


def test_quarterdeck_itself_has_neither_type_nor_name() -> None:
    line = audit_line(recorded(settings_created(), at=datetime.now(UTC)), UTC)

    assert line is not None
    told = json.loads(line)
    assert told["user_type"] is None
    assert told["user_name"] is None
    assert told["request_id"] is None


@pytest.mark.parametrize(
    "event",
    [
        ClusterRendered(rendering=1, sections={}, engine="gotpl 1"),
        TaskPhaseEnded(phase="install", state={"state": Secret(token="t")}),
    ],
)
def test_what_is_no_act_on_a_record_is_not_told(event: Event) -> None:
    assert audit_line(recorded(event, at=datetime.now(UTC)), UTC) is None


class Unread(Event):
    """Stands in for an event that this version does not know."""

    stored_topic: str


def test_what_cannot_be_read_is_not_passed_over() -> None:
    with pytest.raises(CannotBeTold, match=r"cluster\.moved"):
        audit_line(recorded(Unread(stored_topic="cluster.moved"), at=datetime.now(UTC)), UTC)


class Broken(Event):
    """An act that cannot tell of itself."""

    topic: ClassVar[str] = "broken"

    def audited(self) -> Audited:
        raise ValueError("hunter2")


def test_a_fault_in_an_event_is_told_without_what_it_holds() -> None:
    with pytest.raises(CannotBeTold) as raised:
        audit_line(recorded(Broken(), at=datetime.now(UTC)), UTC)

    assert str(raised.value) == "broken: ValueError"


class Odd(Event):
    """An act whose changes hold everything that a change may hold."""

    topic: ClassVar[str] = "odd"
    changes: dict[str, Any]

    def audited(self) -> Audited:
        return Audited(auditable_type="Odd", action=Action.UPDATE, audited_changes=self.changes)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_secret_is_masked_wherever_it_stands(form: Any) -> None:
    configuration = Configuration(
        template_id=UUID(int=1),
        template_version_id=UUID(int=2),
        values={"size": 3},
        secret_values={"password": Secret("hunter2-open")},
    )
    odd = Odd(
        changes={
            "a": [Secret("hunter2-a"), {"b": (Secret(token="hunter2-b"),)}],
            "c": configuration,
        }
    )
    configured = ClusterConfigured(
        configuration=configuration,
        previous=configuration.model_copy(
            update={"secret_values": {"password": Secret("hunter2-0")}}
        ),
    )

    lines = [audit_line(recorded(e, at=datetime.now(UTC)), UTC, form) for e in (odd, configured)]

    assert not any("hunter2" in (line or "") for line in lines)
    if form == "json":
        told = json.loads(lines[0] or "")["audited_changes"]
        assert told["a"] == [MASK, {"b": [MASK]}]
        assert told["c"]["secret_values"] == {"password": MASK}


def test_nothing_that_came_from_outside_begins_a_line_or_closes_a_bracket() -> None:
    forged = "x] [1] [audit] {}\n2024-12-18 17:27:17.503 ["

    line = audit_line(
        recorded(settings_created(), at=datetime.now(UTC), request_id=forged), UTC, "text"
    )

    assert line is not None
    assert "\n" not in line
    assert line.count("[") == line.count("]") == 4


@given(
    at=st.datetimes(
        min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
    ),
    name=st.text(min_size=1),
)
def test_printing_again_gives_the_same_bytes(at: datetime, name: str) -> None:
    event = Odd(changes={"name": [None, name], "at": at, "n": [1, 2.5, True]})
    stream_id = uuid4()
    once, again = (recorded(event, at=at, stream_id=stream_id, pid=1) for _ in range(2))

    for form in ("json", "text"):
        line = audit_line(once, MOSCOW, form)
        assert line == audit_line(again, MOSCOW, form)
        assert line is not None
        assert "\n" not in line


@given(
    start=st.integers(1, 10**9),
    steps=st.lists(st.integers(0, 3000), min_size=1, max_size=50),
)
def test_the_nanoseconds_rise_with_the_position_in_each_million(
    start: int, steps: list[int]
) -> None:
    at, before = datetime(2025, 6, 18, tzinfo=UTC), None
    for place, microseconds in enumerate(steps):
        position = start + place
        at += timedelta(microseconds=microseconds)
        now = audit_nanoseconds(recorded(settings_created(), at=at, position=position))
        assert before is None or position % 1_000_000 == 0 or now > before
        before = now
