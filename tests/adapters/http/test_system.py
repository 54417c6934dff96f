"""The system itself over the API."""

import pytest

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


async def test_a_workspaces_token_is_not_told(quarterdeck: Quarterdeck, house: House) -> None:
    async with quarterdeck.client(house.token) as client:
        assert (await client.get("/api/v1/system")).status_code == 403
