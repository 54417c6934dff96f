"""What every event store promises."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from application.ports import (
    Append,
    AppendConflict,
    Appended,
    Claim,
    ClaimTaken,
    CommandRecord,
    CommandSeen,
    Document,
    EventStore,
    StreamAppend,
)
from domain.clusters import ClusterConfigured, Configuration
from domain.model import Envelope, Event, Metadata, Recorded
from domain.secrets import Secret
from domain.users import SignInLinkUsed
from domain.values import DocumentRef

WHO: Envelope = {"actor": {"type": "User", "name": "ada"}, "workspace": "team-a", "pid": 7}
TOKEN = "1|cluster.created|ssh_private_key|c2VhbGVk"


class ReadableStore(EventStore, Protocol):
    """An event store that is also read by position."""

    async def read(
        self, after: int = 0, limit: int = 500, upto: int = 2**62
    ) -> Sequence[Recorded]: ...

    async def head(self) -> int: ...


def some(count: int) -> list[Event]:
    return [SignInLinkUsed(session_id=uuid4()) for _ in range(count)]


def on(stream_id: UUID, expected: int = 0, count: int = 1) -> StreamAppend:
    return StreamAppend(stream_id, expected, some(count))


def append(
    *streams: StreamAppend,
    claims: Sequence[Claim] = (),
    documents: Sequence[Document] = (),
    command: CommandRecord | None = None,
) -> Append:
    return Append(streams, WHO, claims, documents, command)


def document(text: str) -> Document:
    body = text.encode()
    return Document(DocumentRef(digest=sha256(body).hexdigest(), size=len(body)), body)


def command(command_id: str) -> CommandRecord:
    return CommandRecord(command_id, b"asked", b'"came"')


class EventStoreContract:
    """Subclasses give the fixture `store`, an empty ReadableStore."""

    async def test_what_was_appended_is_loaded_in_order(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        first = on(stream_id, 0, 2)
        await store.append(append(first))
        second = on(stream_id, 2, 1)
        appended = await store.append(append(second))
        loaded = await store.load(stream_id)
        assert [r.event for r in loaded] == [*first.events, *second.events]
        assert [r.version for r in loaded] == [1, 2, 3]
        assert [r.position for r in loaded] == [1, 2, 3]
        assert (appended.position, appended.recorded_at) == (3, loaded[-1].recorded_at)
        assert {r.stream_id for r in loaded} == {stream_id}
        assert loaded[0].metadata == Metadata.model_validate(WHO)

    async def test_a_stream_is_loaded_from_a_version_on(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        await store.append(append(on(stream_id, 0, 3)))
        assert [r.version for r in await store.load(stream_id, after=2)] == [3]
        assert not await store.load(stream_id, after=3)

    async def test_a_stream_that_does_not_exist_is_empty(self, store: ReadableStore) -> None:
        assert not await store.load(uuid4())
        assert await store.head() == 0
        assert not await store.read()

    async def test_the_log_is_read_by_position(self, store: ReadableStore) -> None:
        for _ in range(5):
            await store.append(append(on(uuid4())))
        assert [r.position for r in await store.read()] == [1, 2, 3, 4, 5]
        assert [r.position for r in await store.read(after=1, limit=2)] == [2, 3]
        assert [r.position for r in await store.read(after=1, upto=3)] == [2, 3]
        assert await store.head() == 5

    async def test_time_never_goes_back(self, store: ReadableStore) -> None:
        for _ in range(5):
            await store.append(append(on(uuid4())))
        times = [r.recorded_at for r in await store.read()]
        assert times == sorted(times)
        assert times[0].utcoffset() == timedelta(0)

    @pytest.mark.parametrize("expected", [0, 1, 3, 99])
    async def test_a_stream_at_another_version_is_a_conflict(
        self, store: ReadableStore, expected: int
    ) -> None:
        stream_id = uuid4()
        await store.append(append(on(stream_id, 0, 2)))
        with pytest.raises(AppendConflict):
            await store.append(append(on(stream_id, expected)))
        assert len(await store.load(stream_id)) == 2
        assert await store.head() == 2

    async def test_several_streams_are_appended_together(self, store: ReadableStore) -> None:
        one, other = uuid4(), uuid4()
        appended = await store.append(append(on(one, 0, 2), on(other, 0, 1)))
        assert appended.position == 3
        assert (len(await store.load(one)), len(await store.load(other))) == (2, 1)
        assert [r.stream_id for r in await store.read()] == [one, one, other]

    async def test_several_streams_are_appended_all_or_not_at_all(
        self, store: ReadableStore
    ) -> None:
        one, other = uuid4(), uuid4()
        await store.append(append(on(one)))
        with pytest.raises(AppendConflict):
            await store.append(
                append(
                    on(other),
                    on(one, 5),
                    claims=[Claim("name:x", other)],
                    documents=[document("text")],
                    command=command("c1"),
                )
            )
        assert not await store.load(other)
        assert await store.holder("name:x") is None
        assert await store.outcome("c1") is None

    @pytest.mark.parametrize("guard_first", [False, True])
    async def test_a_stream_without_new_events_guards_the_others(
        self, store: ReadableStore, guard_first: bool
    ) -> None:
        guard, other = uuid4(), uuid4()
        await store.append(append(on(guard)))
        streams = [StreamAppend(guard, 0, []), on(other)]
        with pytest.raises(AppendConflict):
            await store.append(append(*(streams if guard_first else streams[::-1])))
        streams = [StreamAppend(guard, 1, []), on(other)]
        await store.append(append(*(streams if guard_first else streams[::-1])))
        assert (len(await store.load(guard)), len(await store.load(other))) == (1, 1)

    async def test_a_claimed_key_has_one_holder(self, store: ReadableStore) -> None:
        one, other = uuid4(), uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        assert await store.holder("name:x") == one
        with pytest.raises(ClaimTaken) as taken:
            await store.append(append(on(other), claims=[Claim("name:x", other)]))
        assert (taken.value.key, taken.value.holder) == ("name:x", one)
        assert not await store.load(other)

    async def test_the_key_that_is_taken_is_named_among_several(self, store: ReadableStore) -> None:
        one, other = uuid4(), uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        wanted = [Claim("name:v", other), Claim("name:x", other), Claim("name:y", other)]
        with pytest.raises(ClaimTaken) as taken:
            await store.append(append(on(other), claims=wanted))
        assert (taken.value.key, taken.value.holder) == ("name:x", one)
        assert await store.holder("name:v") is None

    async def test_who_holds_a_key_may_claim_it_again(self, store: ReadableStore) -> None:
        one = uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        await store.append(append(on(one, 1), claims=[Claim("name:x", one)]))
        assert await store.holder("name:x") == one

    async def test_a_released_key_is_free(self, store: ReadableStore) -> None:
        one, other = uuid4(), uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        await store.append(append(on(one, 1), claims=[Claim("name:x", None)]))
        assert await store.holder("name:x") is None
        await store.append(append(on(other), claims=[Claim("name:x", other)]))
        assert await store.holder("name:x") == other

    async def test_a_key_is_exchanged_for_another_in_one_append(self, store: ReadableStore) -> None:
        one = uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        exchanged = [Claim("name:y", one), Claim("name:x", None)]
        await store.append(append(on(one, 1), claims=exchanged))
        assert [await store.holder(k) for k in ("name:x", "name:y")] == [None, one]

    async def test_a_key_given_back_and_taken_in_one_append_is_held(
        self, store: ReadableStore
    ) -> None:
        one = uuid4()
        await store.append(append(on(one), claims=[Claim("name:x", one)]))
        again = [Claim("name:x", None), Claim("name:x", one)]
        await store.append(append(on(one, 1), claims=again))
        assert await store.holder("name:x") == one

    async def test_a_command_takes_effect_once(self, store: ReadableStore) -> None:
        appended = await store.append(append(on(uuid4(), 0, 2), command=command("c1")))
        with pytest.raises(CommandSeen):
            await store.append(append(on(uuid4()), command=command("c1")))
        assert await store.head() == 2
        outcome = await store.outcome("c1")
        assert outcome is not None
        assert (outcome.fingerprint, outcome.result) == (b"asked", b'"came"')
        assert outcome.position == appended.position
        assert await store.outcome("c2") is None

    async def test_a_command_that_changed_nothing_is_remembered_too(
        self, store: ReadableStore
    ) -> None:
        await store.append(append(command=command("c1")))
        with pytest.raises(CommandSeen):
            await store.append(append(on(uuid4()), command=command("c1")))
        assert await store.head() == 0

    async def test_a_repeated_command_is_seen_before_its_own_conflict(
        self, store: ReadableStore
    ) -> None:
        stream_id = uuid4()
        wanted = append(on(stream_id), claims=[Claim("name:x", stream_id)], command=command("c1"))
        await store.append(wanted)
        with pytest.raises(CommandSeen):
            await store.append(wanted)

    async def test_a_refused_command_may_be_tried_again(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        with pytest.raises(AppendConflict):
            await store.append(append(on(stream_id, 7), command=command("c1")))
        await store.append(append(on(stream_id, 0), command=command("c1")))
        assert await store.outcome("c1") is not None

    async def test_of_many_at_once_on_one_stream_one_is_written(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        results = await at_once(store, [append(on(stream_id)) for _ in range(20)])
        assert [type(r) for r in results].count(Appended) == 1
        assert [type(r) for r in results].count(AppendConflict) == 19
        assert len(await store.load(stream_id)) == 1

    async def test_of_many_at_once_for_one_key_one_is_written(self, store: ReadableStore) -> None:
        streams = [uuid4() for _ in range(20)]
        results = await at_once(
            store, [append(on(s), claims=[Claim("name:x", s)]) for s in streams]
        )
        winners = [s for s, r in zip(streams, results, strict=True) if isinstance(r, Appended)]
        assert winners == [await store.holder("name:x")]
        losers = [r for r in results if isinstance(r, ClaimTaken)]
        assert {r.holder for r in losers} == set(winners)
        assert len(losers) == 19
        assert await store.head() == 1

    async def test_of_many_at_once_with_one_command_id_one_is_written(
        self, store: ReadableStore
    ) -> None:
        results = await at_once(
            store, [append(on(uuid4()), command=command("c1")) for _ in range(20)]
        )
        assert [type(r) for r in results].count(Appended) == 1
        assert [type(r) for r in results].count(CommandSeen) == 19
        assert await store.head() == 1

    async def test_many_at_once_on_many_streams_are_all_written(self, store: ReadableStore) -> None:
        streams = [uuid4() for _ in range(200)]
        results = await at_once(store, [append(on(s, 0, 2)) for s in streams])
        assert all(isinstance(r, Appended) for r in results)
        records = await store.read(limit=1000)
        assert [r.position for r in records] == list(range(1, 401))
        ends = {r.stream_id: r.position for r in records}
        assert {s: r.position for s, r in zip(streams, results, strict=True)} == ends

    async def test_an_open_secret_is_not_stored(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        with pytest.raises(Exception, match="SecretIsOpen"):
            await store.append(append(StreamAppend(stream_id, 0, [keyed(Secret("open"))])))
        assert not await store.load(stream_id)
        sealed = keyed(Secret(token=TOKEN))
        await store.append(append(StreamAppend(stream_id, 0, [sealed])))
        assert [r.event for r in await store.load(stream_id)] == [sealed]

    async def test_the_newest_snapshot_is_given_back(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        assert await store.snapshot(stream_id, "snapshot.a") is None
        await store.save_snapshot(stream_id, 200, "snapshot.a", b"old")
        await store.save_snapshot(stream_id, 400, "snapshot.a", b"new")
        await store.save_snapshot(stream_id, 300, "snapshot.a", b"late")
        assert await store.snapshot(stream_id, "snapshot.a") == (400, b"new")

    async def test_a_snapshot_of_another_form_is_not_given_back(self, store: ReadableStore) -> None:
        stream_id = uuid4()
        await store.save_snapshot(stream_id, 200, "snapshot.a", b"old form")
        assert await store.snapshot(stream_id, "snapshot.b") is None
        await store.save_snapshot(stream_id, 200, "snapshot.b", b"new form")
        assert await store.snapshot(stream_id, "snapshot.b") == (200, b"new form")


async def at_once(store: EventStore, appends: Sequence[Append]) -> list[Appended | BaseException]:
    return await asyncio.gather(*map(store.append, appends), return_exceptions=True)


def keyed(key: Secret) -> Event:
    declared = Configuration(
        template_id=UUID(int=1), template_version_id=UUID(int=2), secret_values={"key": key}
    )
    return ClusterConfigured(configuration=declared, previous=declared)
