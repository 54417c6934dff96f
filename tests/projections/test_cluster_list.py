"""What lists of clusters show, and in which order."""

from functools import partial
from itertools import pairwise, product
from uuid import UUID, uuid4

import pytest

from domain.cluster_templates import ClusterTemplateCreated, ClusterTemplateVersionAdded
from domain.clusters import (
    ClusterApplied,
    ClusterArchived,
    ClusterConfigured,
    ClusterCreated,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterOperationStarted,
    ClusterRenamed,
    ClusterRendered,
    ClusterStatus,
    Configuration,
)
from domain.secrets import Secret
from domain.values import OperationKind
from projections.cluster_list import (
    ClusterFilter,
    Sort,
    clusters_where,
    count_before,
    count_by_status,
    count_by_workspace,
)
from projections.reader import BadCursor
from tests.projections.scenario import Scenario

ACME, OTHER = uuid4(), uuid4()
TEMPLATE, VERSION = uuid4(), uuid4()
CONFIGURATION = Configuration(template_id=TEMPLATE, template_version_id=VERSION)


def created(name: str, workspace_id: UUID = ACME) -> ClusterCreated:
    return ClusterCreated(
        workspace_id=workspace_id,
        name=name,
        configuration=CONFIGURATION,
        ssh_public_key="ssh-ed25519 AAAA",
        ssh_private_key=Secret(token="sealed"),
    )


def rendered(rendering: int = 1) -> ClusterRendered:
    return ClusterRendered(rendering=rendering, sections={}, engine="gotpl 1")


def requested(
    task_id: UUID, status: ClusterStatus = ClusterStatus.CREATING
) -> ClusterOperationRequested:
    return ClusterOperationRequested(
        task_id=task_id,
        kind=OperationKind.INSTALL,
        previous_status=ClusterStatus.NEW,
        status=status,
    )


def started(task_id: UUID) -> ClusterOperationStarted:
    return ClusterOperationStarted(task_id=task_id, kind=OperationKind.INSTALL)


def applied(task_id: UUID) -> ClusterApplied:
    return ClusterApplied(
        task_id=task_id,
        kind=OperationKind.INSTALL,
        rendering=1,
        previous_status=ClusterStatus.CREATING,
        status=ClusterStatus.IN_SYNC,
    )


def failed(task_id: UUID) -> ClusterOperationFailed:
    return ClusterOperationFailed(
        task_id=task_id,
        kind=OperationKind.INSTALL,
        reason="The host does not answer.",
        previous_status=ClusterStatus.CREATING,
        status=ClusterStatus.CREATION_FAILED,
    )


async def only(scene: Scenario) -> dict[str, object]:
    page = await scene.shows(clusters_where, ClusterFilter(workspace_id=ACME))
    (row,) = page.rows
    return row


async def test_a_new_cluster_is_new_and_at_revision_one(scene: Scenario) -> None:
    await scene.given(uuid4(), created("east"))
    row = await only(scene)
    assert (row["name"], row["status"], row["current_revision"]) == ("east", "new", 1)
    assert (row["archived_at"], row["archive_number"], row["registry_id"]) == (None, None, None)
    assert row["last_change_by"] == "Mira Okafor"
    assert str(row["created_at"]).endswith("Z")


async def test_a_cluster_names_its_template_and_the_number_of_its_version(scene: Scenario) -> None:
    await scene.given(
        TEMPLATE,
        ClusterTemplateCreated(workspace_id=ACME, name="core-ha"),
        ClusterTemplateVersionAdded(version_id=VERSION, number=1),
    )
    await scene.given(uuid4(), created("east"))
    row = await only(scene)
    assert (row["cluster_template_name"], row["cluster_template_version"]) == ("core-ha", "1")
    assert row["is_on_current_version"] is True


async def test_renaming_and_configuring_are_revisions(scene: Scenario) -> None:
    changed = CONFIGURATION.model_copy(update={"values": {"nodes": 3}})
    await scene.given(
        uuid4(),
        created("east"),
        ClusterRenamed(name="west", previous_name="east"),
        ClusterConfigured(configuration=changed, previous=CONFIGURATION),
    )
    row = await only(scene)
    assert (row["name"], row["current_revision"]) == ("west", 3)
    assert (row["last_change"], row["last_change_detail"]) == ("cluster.configured", "nodes")


async def test_an_installed_cluster_is_in_sync_and_has_no_task(scene: Scenario) -> None:
    task = uuid4()
    await scene.given(uuid4(), created("east"), rendered(), requested(task), started(task))
    row = await only(scene)
    assert (row["status"], row["task_kind"], row["task_id"]) == ("creating", "install", str(task))


async def test_a_rendering_that_is_not_applied_waits(scene: Scenario) -> None:
    cluster, task = uuid4(), uuid4()
    await scene.given(
        cluster, created("east"), rendered(), requested(task), started(task), applied(task)
    )
    assert (await only(scene))["has_pending_changes"] is False
    await scene.given(cluster, rendered(2))
    row = await only(scene)
    assert (row["status"], row["has_pending_changes"]) == ("pending_changes", True)


async def test_an_archived_cluster_is_left_out_when_asked(scene: Scenario) -> None:
    archived = ClusterArchived(archived_at="2026-11-21T14:00:00Z", archive_number="7")  # type: ignore[arg-type]
    await scene.given(uuid4(), created("east"), archived)
    row = await only(scene)
    assert (row["status"], row["archive_number"]) == ("deleted", "7")
    assert row["archived_at"] == "2026-11-21T14:00:00.000000Z"
    page = await clusters_where(scene.reader, ClusterFilter(without_archived=True))
    assert page.rows == []


async def test_the_most_urgent_come_first(scene: Scenario) -> None:
    task = uuid4()
    await scene.given(uuid4(), created("b-new"))
    await scene.given(uuid4(), created("a-new"))
    await scene.given(
        uuid4(), created("z-failed"), rendered(), requested(task), started(task), failed(task)
    )
    page = await scene.shows(clusters_where, ClusterFilter(), sort=Sort.URGENCY)
    assert [row["name"] for row in page.rows] == ["z-failed", "a-new", "b-new"]


async def test_pages_join_without_a_gap_in_both_directions(scene: Scenario) -> None:
    for n in range(7):
        await scene.given(uuid4(), created(f"c{n}"))
    await scene.feed()
    where = ClusterFilter(workspace_id=ACME)
    for sort, descending in product(Sort, [False, True]):
        whole = await clusters_where(scene.reader, where, sort=sort, descending=descending)
        read = partial(
            clusters_where, scene.reader, where, sort=sort, descending=descending, limit=3
        )
        pages = [await read()]
        while pages[-1].next_cursor is not None:
            pages.append(await read(cursor=pages[-1].next_cursor))
        assert [row for page in pages for row in page.rows] == whole.rows, (sort, descending)
        assert len(whole.rows) == 7
        for earlier, later in pairwise(pages):
            assert await read(cursor=later.previous_cursor) == earlier
            counted = await count_before(
                scene.reader, where, later, sort=sort, descending=descending
            )
            assert counted == whole.rows.index(later.rows[0])
        assert pages[0].previous_cursor is None
        assert await count_before(scene.reader, where, pages[0]) == 0


async def test_a_cursor_stays_good_while_rows_come_and_go(scene: Scenario) -> None:
    for name in ("b", "d", "f", "h"):
        await scene.given(uuid4(), created(name))
    await scene.feed()
    first = await clusters_where(scene.reader, ClusterFilter(), limit=2)
    for name in ("a", "e"):
        await scene.given(uuid4(), created(name))
    await scene.feed()
    second = await clusters_where(scene.reader, ClusterFilter(), limit=2, cursor=first.next_cursor)
    assert [row["name"] for row in second.rows] == ["e", "f"]
    assert await count_before(scene.reader, ClusterFilter(), second) == 3
    back = await clusters_where(
        scene.reader, ClusterFilter(), limit=2, cursor=second.previous_cursor
    )
    assert [row["name"] for row in back.rows] == ["b", "d"]
    assert back.previous_cursor is not None


async def test_a_foreign_cursor_is_refused(scene: Scenario) -> None:
    await scene.given(uuid4(), created("a"))
    await scene.given(uuid4(), created("b"))
    await scene.feed()
    named = await clusters_where(scene.reader, ClusterFilter(), limit=1)
    for cursor in ("nonsense", "W10", "WyI9IiwgMSwgMl0", "e30", named.next_cursor):
        with pytest.raises(BadCursor):
            await clusters_where(
                scene.reader, ClusterFilter(), sort=Sort.CREATED, limit=1, cursor=cursor
            )


async def test_a_filter_finds_by_a_part_of_the_name_taken_literally(scene: Scenario) -> None:
    await scene.given(uuid4(), created("pay-prod"))
    await scene.given(uuid4(), created("store"))
    page = await scene.shows(clusters_where, ClusterFilter(text="PROD"))
    assert [row["name"] for row in page.rows] == ["pay-prod"]
    assert (await clusters_where(scene.reader, ClusterFilter(text="%"))).rows == []


async def test_clusters_are_counted_by_status_and_by_workspace(scene: Scenario) -> None:
    await scene.given(uuid4(), created("a"))
    await scene.given(uuid4(), created("b"))
    await scene.given(uuid4(), created("c", OTHER))
    assert await scene.shows(count_by_status, ClusterFilter(workspace_id=ACME)) == {"new": 2}
    counted = await count_by_workspace(scene.reader)
    assert counted == {str(ACME): {"new": 2}, str(OTHER): {"new": 1}}
