"""The system itself over the API."""

import pytest

from adapters.postgres.marks import PostgresMarks
from projections import PROJECTIONS
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_everything_that_follows_the_log_says_how_far_it_is(
    quarterdeck: Quarterdeck, house: House
) -> None:
    head = await quarterdeck.hub.store.head()
    await quarterdeck.edge.reads.reader(after=head)
    async with quarterdeck.client(await quarterdeck.token(read_only=True)) as client:
        system = (await client.get("/api/v1/system")).json()
    assert system["position"] >= head
    assert system["faults"] == system["parked"] == []
    readers = {row["name"]: row for row in system["readers"]}
    assert readers.keys() >= {projection.name for projection in PROJECTIONS}
    assert all(row["position"] >= head for row in readers.values())


async def test_what_could_not_be_sent_is_shown_with_the_reason(
    quarterdeck: Quarterdeck, house: House
) -> None:
    marks = PostgresMarks(quarterdeck.hub.pool, "loki")
    await marks.park(1, "400: max entry size exceeded")
    async with quarterdeck.client(await quarterdeck.token(read_only=True)) as client:
        (parked,) = (await client.get("/api/v1/system")).json()["parked"]
    await marks.settle([1])
    (first,) = await quarterdeck.hub.store.read(0, 1)
    assert {name: parked[name] for name in ("reader", "position", "topic", "reason", "tries")} == {
        "reader": "loki",
        "position": 1,
        "topic": first.event.topic,
        "reason": "400: max entry size exceeded",
        "tries": 1,
    }


async def test_a_workspaces_token_is_not_told(quarterdeck: Quarterdeck, house: House) -> None:
    async with quarterdeck.client(house.token) as client:
        assert (await client.get("/api/v1/system")).status_code == 403
