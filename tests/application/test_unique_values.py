"""A value that must be unique is of one cluster of its template, until it is given up."""

from uuid import UUID

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.event_store import InMemoryEventStore
from application.claims import claims_of
from application.cluster_templates import ChangeClusterTemplate
from application.clusters import DeleteCluster
from domain.model import Taken
from tests.application.in_memory import PARAMS, Hub
from tests.application.places import GOOD, Place, a_place


class Unheard(InMemoryEventStore):
    """A store in which nobody sees who holds a value before the append: always a race."""

    async def holder(self, key: str) -> UUID | None:
        return None if key.startswith("cluster_value:") else await super().holder(key)


async def test_a_unique_value_belongs_to_one_cluster_of_the_template(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    with pytest.raises(Taken, match="cluster north has the value 22") as refused:
        await place.create("south", values={**GOOD, "port": 22.0})
    assert refused.value.pointer == "/values/port"
    other = await place.create("south", values={**GOOD, "port": 23})
    with pytest.raises(Taken) as refused:
        await place.change(other, "south", values={**GOOD, "port": 22})
    assert refused.value.pointer == "/values/port"
    await place.create("east")
    await place.create("west")


async def test_two_who_want_one_unique_value_at_once_hear_the_same() -> None:
    place = await a_place(Hub(Unheard(StandingClock())))
    north = await place.create(values={**GOOD, "port": 22})
    with pytest.raises(Taken, match=f"port must be unique, and cluster {north}") as refused:
        await place.create("south", values={**GOOD, "port": 22})
    assert refused.value.pointer == "/values/port"


async def test_a_unique_value_that_is_given_up_is_for_anybody(place: Place) -> None:
    first = await place.create(values={**GOOD, "port": 22})
    second = await place.create("south", values={**GOOD, "port": 23})
    await place.change(first, values={**GOOD, "port": 24})
    await place.change(second, "south", values={**GOOD, "port": 22})
    await place.hub.do(DeleteCluster(**place.about(second)))
    await place.change(first, values={**GOOD, "port": 22})
    await place.change(first, values={**GOOD, "port": 22, "size": 4})
    await place.change(first, values=GOOD)
    await place.create("east", values={**GOOD, "port": 22})


async def test_a_value_is_unique_in_its_own_template(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    await place.hub.cluster(place.workspace_id, "south", size=3, zone="a", port=22)


async def test_a_value_is_unique_from_the_version_on_that_says_so(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    shared = tuple({**entry, "unique": False} for entry in PARAMS)
    await place.hub.do(
        ChangeClusterTemplate(
            workspace_id=place.workspace_id,
            cluster_template_id=place.template_id,
            params=shared,
        )
    )
    newest = await place.hub.version(place.template_id)
    fields = {"values": {**GOOD, "port": 22}, "cluster_template_version_id": newest}
    second = await place.create("south", **fields)
    with pytest.raises(Taken):
        await place.change(second, "south", values=fields["values"])
    assert claims_of(place.hub.store.records) == place.hub.store.claims


async def test_a_unique_value_of_any_length_is_held(place: Place) -> None:
    long = "x" * 20_000
    params = ({"key": "zone", "title": "Zone", "type": "string", "unique": True},)
    await place.hub.do(
        ChangeClusterTemplate(
            workspace_id=place.workspace_id, cluster_template_id=place.template_id, params=params
        )
    )
    version = {"cluster_template_version_id": await place.hub.version(place.template_id)}
    await place.create(values={"zone": long}, **version)
    with pytest.raises(Taken) as refused:
        await place.create("south", values={"zone": long}, **version)
    assert len(refused.value.detail) < 200
    assert max(map(len, place.hub.store.claims)) < 500
