"""What every vault promises."""

from hashlib import new
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from application.ports import Erased, Vault
from domain.clusters import ClusterConfigured, Configuration
from domain.secrets import Secret

SUBJECT, STREAM = UUID(int=1), UUID(int=2)


class Place(Protocol):
    """Vaults over the same keys."""

    def vault(self) -> Vault:
        """One that holds nothing yet."""
        ...

    async def erase(self, subject_id: UUID) -> None:
        """Erase the key of a subject."""
        ...


def configured(**secrets: Secret) -> ClusterConfigured:
    empty = Configuration(template_id=UUID(int=3), template_version_id=UUID(int=4))
    declared = empty.model_copy(update={"secret_values": secrets})
    return ClusterConfigured(configuration=declared, previous=empty)


async def sealed(place: Place, text: str, stream_id: UUID = STREAM) -> Secret:
    (event,) = await place.vault().seal(SUBJECT, stream_id, [configured(key=Secret(text))])
    assert isinstance(event, ClusterConfigured)
    return event.configuration.secret_values["key"]


class VaultContract:
    """Subclasses give the fixture `place`."""

    @pytest.mark.parametrize("text", ["swordfish", "", "ä\n\x00"])
    async def test_a_sealed_secret_opens_again(self, place: Place, text: str) -> None:
        secret = await sealed(place, text)
        assert secret.is_sealed
        assert await place.vault().open(STREAM, secret) == text

    async def test_nothing_of_a_secret_is_in_its_token(self, place: Place) -> None:
        assert "swordfish" not in str((await sealed(place, "swordfish")).token)

    async def test_what_is_sealed_stays_as_it_is(self, place: Place) -> None:
        kept = await sealed(place, "swordfish")
        (event,) = await place.vault().seal(SUBJECT, STREAM, [configured(key=kept)])
        assert event == configured(key=kept)

    async def test_an_open_secret_is_open_already(self, place: Place) -> None:
        assert await place.vault().open(STREAM, Secret("swordfish")) == "swordfish"

    async def test_a_secret_of_another_stream_does_not_open(self, place: Place) -> None:
        secret = await sealed(place, "swordfish")
        with pytest.raises(LookupError):
            await place.vault().open(uuid4(), secret)

    async def test_what_was_never_sealed_does_not_open(self, place: Place) -> None:
        with pytest.raises(LookupError):
            await place.vault().open(STREAM, Secret(token="never sealed"))

    async def test_a_secret_of_an_erased_subject_is_gone(self, place: Place) -> None:
        secret = await sealed(place, "swordfish")
        await place.erase(SUBJECT)
        with pytest.raises(Erased):
            await place.vault().open(STREAM, secret)

    async def test_a_fingerprint_is_the_same_wherever_it_is_made(self, place: Place) -> None:
        one, other = [await place.vault().fingerprint(b"swordfish") for _ in range(2)]
        assert one == other
        assert len(one) == 32

    async def test_a_fingerprint_tells_apart_and_cannot_be_guessed(self, place: Place) -> None:
        said = await place.vault().fingerprint(b"swordfish")
        assert said != await place.vault().fingerprint(b"swordfisH")
        assert said not in {new(name, b"swordfish").digest() for name in ("sha256", "blake2s")}
