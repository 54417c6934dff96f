"""Tasks over the API, and their logs."""

import orjson
import pytest

from application.ports import LogLine
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_tasks_are_listed_newest_first_and_can_be_chosen(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        address = f"/api/v1/tasks/{house.task_id}"
        done = await client.post(f"{address}/cancel")
        installed = await client.post(f"/api/v1/clusters/{house.cluster_id}/install")
        after = installed.headers["X-Position"]
        listed = await client.get("/api/v1/tasks", params={"after": after})
        queued = await client.get("/api/v1/tasks?status=queued")
        one = await client.get("/api/v1/tasks?limit=1")
        next_page, _, told = one.headers["Link"].partition("; ")
        other = await client.get(next_page.strip("<>"))
    assert done.json()["status"] == "cancelled"
    assert [t["id"] for t in listed.json()] == [installed.json()["id"], str(house.task_id)]
    assert [t["id"] for t in queued.json()] == [installed.json()["id"]]
    assert told == 'rel="next"'
    assert [t["id"] for t in other.json()] == [str(house.task_id)]
    assert other.headers["Link"].endswith('; rel="prev"')


async def test_a_task_that_is_over_stays_so(quarterdeck: Quarterdeck, house: House) -> None:
    async with quarterdeck.client(house.token) as client:
        address = f"/api/v1/tasks/{house.task_id}/cancel"
        await client.post(address)
        again = await client.post(address)
    assert again.status_code == 409
    assert again.json()["error"] == "already_completed"


async def test_a_log_is_read_from_any_line_on(quarterdeck: Quarterdeck, house: House) -> None:
    lines = [LogLine("prepare", f"line {n}", offset=n) for n in range(1, 6)]
    await quarterdeck.hub.task_logs.write(house.task_id, lines)
    address = f"/api/v1/tasks/{house.task_id}/log"
    async with quarterdeck.client(house.token) as client:
        everything = await client.get(address)
        rest = await client.get(address, params={"after": 3})
        two = await client.get(address, params={"after": 1, "limit": 2})
        ndjson = await client.get(address, headers={"Accept": "application/x-ndjson"})
    assert [line["text"] for line in everything.json()] == [f"line {n}" for n in range(1, 6)]
    assert [line["number"] for line in rest.json()] == [4, 5]
    assert [line["number"] for line in two.json()] == [2, 3]
    assert [orjson.loads(line) for line in ndjson.text.splitlines()] == everything.json()


async def test_a_log_is_read_as_it_was_at_an_instant(
    quarterdeck: Quarterdeck, house: House
) -> None:
    for n in range(1, 4):
        line = LogLine("prepare", f"line {n}", offset=n)
        await quarterdeck.hub.task_logs.write(house.task_id, [line])
    address = f"/api/v1/tasks/{house.task_id}/log"
    async with quarterdeck.client(house.token) as client:
        first, second, _ = (await client.get(address)).json()
        before = await client.get(address, params={"at": "2025-01-01T00:00:00Z"})
        then = await client.get(address, params={"at": second["at"]})
        rest = await client.get(address, params={"at": second["at"], "after": 1, "limit": 9})
        beyond = await client.get(address, params={"at": second["at"], "after": 3})
        to_come = await client.get(address, params={"at": "2999-01-01T00:00:00Z"})
    assert (before.json(), beyond.json()) == ([], [])
    assert then.json() == [first, second]
    assert rest.json() == [second]
    assert to_come.status_code == 400
