"""The page of the system tells how far everything is, and tries again what was parked."""

from adapters.postgres.marks import PostgresMarks
from tests.adapters.http.web.fleet import fill
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Visitor


async def test_the_system_page_tells_how_far_everything_is(house: House, mira: Visitor) -> None:
    await fill(house)
    page = await mira.get("/system")
    head = await house.hub.store.head()
    assert f"Log position {head:,}" in page.words
    for reader in ("cluster_list", "cluster_detail", "history", "tasks", "workspaces"):
        assert f"{reader} " in page.words
    assert {"Position", "Behind", "Lag", "State"} <= set(page.heads)
    assert "In order" in page.words
    assert "Every event is where it belongs." in page.words


async def test_what_could_not_be_sent_is_asked_for_again(house: House, mira: Visitor) -> None:
    marks = PostgresMarks(house.hub.pool, "loki")
    await marks.park(1, "400: max entry size exceeded")
    page = await mira.get("/system")
    assert "400: max entry size exceeded" in page.words
    assert await marks.asked(10) == []

    page = await mira.send(page, "/system/retry")

    assert "One parked event is tried again" in page.words
    assert await marks.asked(10) == [1]
