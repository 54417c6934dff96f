"""Secrets are sealed where they stand, and open there and nowhere else."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest

from adapters.crypto.key_ring import BadKeys, KeyRing
from adapters.crypto.vault import DataKey, EnvelopeVault
from application.ports import Unavailable
from domain.clusters import ClusterConfigured, ClusterCreated, Configuration
from domain.model import Event
from domain.secrets import Secret
from domain.tasks import TaskPhaseEnded
from tests.adapters.contracts.vault import VaultContract

SUBJECT, STREAM = UUID(int=1), UUID(int=2)
LABEL = b"label"


class Keys:
    """Wrapped keys in memory."""

    def __init__(self) -> None:
        self.by_subject: dict[UUID, DataKey] = {}

    async def of_subject(self, subject_id: UUID, made: DataKey) -> DataKey:
        return self.by_subject.setdefault(subject_id, made)

    async def by_id(self, key_id: UUID) -> DataKey | None:
        return next((k for k in self.by_subject.values() if k[0] == key_id), None)

    def rewrap(self, change: Callable[[DataKey], DataKey]) -> None:
        self.by_subject = {s: change(k) for s, k in self.by_subject.items()}


class Place:
    """Keys under a ring, each time opened by somebody who holds nothing yet."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.ring = KeyRing.generate()

    def vault(self) -> EnvelopeVault:
        return EnvelopeVault(self.ring, self.keys)

    async def erase(self, subject_id: UUID) -> None:
        del self.keys.by_subject[subject_id]

    async def sealed(self, *events: Event, stream_id: UUID = STREAM) -> Sequence[Event]:
        return await self.vault().seal(SUBJECT, stream_id, events)

    async def sealed_key(self, text: str = "swordfish") -> Secret:
        (event,) = await self.sealed(created(text))
        assert isinstance(event, ClusterCreated)
        return event.ssh_private_key


def declared(**secrets: Secret) -> Configuration:
    return Configuration(
        template_id=UUID(int=3), template_version_id=UUID(int=4), secret_values=secrets
    )


def created(key: str, **secrets: Secret) -> ClusterCreated:
    return ClusterCreated(
        workspace_id=UUID(int=5),
        name="north",
        configuration=declared(**secrets),
        ssh_public_key="public",
        ssh_private_key=Secret(key),
    )


@pytest.fixture
def place() -> Place:
    return Place()


class TestEnvelopeVault(VaultContract):
    @pytest.fixture
    def place(self, place: Place) -> Place:
        return place


async def test_a_long_secret_opens_again(place: Place) -> None:
    assert await place.vault().open(STREAM, await place.sealed_key("x" * 100_000)) == "x" * 100_000


async def test_every_secret_of_an_event_is_sealed_and_the_sealed_ones_stay(place: Place) -> None:
    kept = await place.sealed_key()
    before = declared(kept=kept)
    after = declared(kept=kept, **{"new|one": Secret("sturgeon")})
    (event,) = await place.sealed(ClusterConfigured(configuration=after, previous=before))
    assert isinstance(event, ClusterConfigured)
    assert event.previous == before
    secrets = event.configuration.secret_values
    assert secrets["kept"] == kept
    assert await place.vault().open(STREAM, secrets["new|one"]) == "sturgeon"


async def test_an_event_without_secrets_is_as_it_was(place: Place) -> None:
    ended = TaskPhaseEnded(phase="boot", next_phase=None)
    assert await place.sealed(ended) == [ended]


async def test_the_same_text_is_sealed_differently_each_time(place: Place) -> None:
    assert await place.sealed_key() != await place.sealed_key()


async def test_a_secret_moved_to_another_stream_does_not_open(place: Place) -> None:
    secret = await place.sealed_key()
    with pytest.raises(LookupError, match="moved or changed"):
        await place.vault().open(uuid4(), secret)


@pytest.mark.parametrize(
    ("part", "other"),
    [("cluster.created", "cluster.configured"), ("ssh_private_key", "ssh_other_key")],
)
async def test_a_secret_that_says_it_stood_elsewhere_does_not_open(
    place: Place, part: str, other: str
) -> None:
    secret = await place.sealed_key()
    assert secret.token is not None
    assert part in secret.token
    with pytest.raises(LookupError):
        await place.vault().open(STREAM, Secret(token=secret.token.replace(part, other)))


async def test_a_secret_that_was_changed_does_not_open(place: Place) -> None:
    token = (await place.sealed_key()).token
    assert token is not None
    changed = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
    with pytest.raises(LookupError):
        await place.vault().open(STREAM, Secret(token=changed))


async def test_after_a_rotation_everything_still_opens_without_the_old_key(place: Place) -> None:
    secret = await place.sealed_key()
    sealed = await place.vault().seal_bytes(SUBJECT, LABEL, b"plain")
    seed = await place.vault().data_key(SUBJECT)
    old, place.ring = place.ring, place.ring.with_new_key()
    place.keys.rewrap(
        lambda key: (key[0], *place.ring.wrap(old.unwrap(*key[1:], key[0].bytes), key[0].bytes))
    )
    place.ring = KeyRing.read(place.ring.write().splitlines()[1])
    assert await place.vault().open(STREAM, secret) == "swordfish"
    assert await place.vault().open_bytes(LABEL, sealed) == b"plain"
    assert await place.vault().data_key(SUBJECT) == seed


async def test_a_master_key_that_came_since_is_read_or_asked_for(place: Place) -> None:
    secret, before = await place.sealed_key(), place.ring
    place.ring = before.with_new_key()
    place.keys.rewrap(
        lambda key: (
            key[0],
            *place.ring.wrap(before.unwrap(key[1], key[2], key[0].bytes), key[0].bytes),
        )
    )
    knowing = EnvelopeVault(before, place.keys, lambda: place.ring)
    assert await knowing.open(STREAM, secret) == "swordfish"
    for reread in (None, lambda: before, broken):
        with pytest.raises(Unavailable, match="Master key 2 came after this process"):
            await EnvelopeVault(before, place.keys, reread).open(STREAM, secret)


def broken() -> KeyRing:
    raise BadKeys("The key file cannot be read.")


async def test_another_key_file_opens_nothing(place: Place) -> None:
    secret = await place.sealed_key()
    place.ring = KeyRing.generate()
    with pytest.raises(BadKeys, match="not the one"):
        await place.vault().open(STREAM, secret)
    with pytest.raises(BadKeys):
        await place.vault().seal_bytes(SUBJECT, LABEL, b"plain")


async def test_a_wrapped_key_that_is_given_to_another_id_does_not_open(place: Place) -> None:
    secret = await place.sealed_key()
    await place.vault().seal_bytes(uuid4(), LABEL, b"plain")
    mine, other = place.keys.by_subject.values()
    place.keys.by_subject[SUBJECT] = (mine[0], *other[1:])
    with pytest.raises(BadKeys):
        await place.vault().open(STREAM, secret)


async def test_sealed_bytes_are_bound_to_their_label(place: Place) -> None:
    sealed = await place.vault().seal_bytes(SUBJECT, LABEL, b"plain")
    assert await place.vault().open_bytes(LABEL, sealed) == b"plain"
    with pytest.raises(LookupError):
        await place.vault().open_bytes(b"another", sealed)


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(28), bytes(60)])
async def test_what_was_never_sealed_does_not_open(place: Place, sealed: bytes) -> None:
    with pytest.raises(LookupError):
        await place.vault().open_bytes(LABEL, sealed)


@pytest.mark.parametrize("token", ["", "1", "1|a|b", "1|a|b|", "1|a|b|!!", "2|a|b|AAAA"])
async def test_what_is_no_token_does_not_open(place: Place, token: str) -> None:
    with pytest.raises(LookupError):
        await place.vault().open(STREAM, Secret(token=token))
