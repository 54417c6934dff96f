"""What stands on the time rail."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.tasks import TaskFailed
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections.activity import activity_between, activity_of
from tests.projections.scenario import Scenario

ACME = uuid4()
IN_ACME = {"workspace_id": ACME}
HOUR = timedelta(hours=1)


async def test_changes_and_failures_are_counted_by_bucket(scene: Scenario) -> None:
    await scene.given(uuid4(), WorkspaceCreated(name="a", slug="ab"), envelope=IN_ACME)
    await scene.given(uuid4(), TaskFailed(reason="no"))
    now = datetime.now(UTC)
    both = await scene.shows(activity_between, now - HOUR, now + HOUR, 7200)
    assert [(row["changes"], row["failures"]) for row in both] == [(2, 1)]
    ours = await activity_between(scene.reader, now - HOUR, now + HOUR, 7200, workspace_id=ACME)
    assert [(row["changes"], row["failures"]) for row in ours] == [(1, 0)]
    assert await activity_between(scene.reader, now - 2 * HOUR, now - HOUR, 60) == []


async def test_counting_goes_on_from_page_to_page(scene: Scenario) -> None:
    for _ in range(7):
        await scene.given(uuid4(), WorkspaceCreated(name="a", slug="ab"))
    await scene.feed(2)
    now = datetime.now(UTC)
    found = await activity_between(scene.reader, now - HOUR, now + HOUR, 7200)
    assert [row["changes"] for row in found] == [7]


async def test_one_thing_has_an_activity_of_its_own(scene: Scenario) -> None:
    await scene.given(
        ACME,
        WorkspaceCreated(name="a", slug="ab"),
        WorkspaceRenamed(name="b", previous_name="a"),
    )
    await scene.given(uuid4(), WorkspaceCreated(name="c", slug="cd"))
    now = datetime.now(UTC)
    found = await scene.shows(activity_of, ACME, now - HOUR, now + HOUR, 7200)
    assert [(row["changes"], row["failures"]) for row in found] == [(2, 0)]
