"""Whatever a fleet lives through, the read models agree with its aggregates and with themselves."""

from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.mapper import Mapper
from adapters.postgres.patience import Patience
from adapters.postgres.rebuild import Rebuilder
from domain.clusters import Cluster
from domain.tasks import Task
from projections import PROJECTIONS
from projections.cluster_detail import cluster
from projections.cluster_list import ClusterFilter, clusters_where
from projections.tasks import tasks_where
from tests.projections.fleets import Fleet
from tests.projections.scenario import Scenario

SEEDS = range(3)
STEPS = 100


async def lived(scene: Scenario, seed: int) -> Fleet:
    fleet = Fleet(seed).live(STEPS)
    for stream_id, event in fleet.facts:
        await scene.given(stream_id, event)
    return fleet


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_list_says_of_a_cluster_what_its_aggregate_says(
    scene: Scenario, seed: int
) -> None:
    fleet = await lived(scene, seed)
    page = await scene.shows(clusters_where, ClusterFilter())
    shown = {UUID(row["id"]): row for row in page.rows}
    assert shown.keys() == set(fleet.clusters)
    for cluster_id, row in shown.items():
        state = fleet.states[cluster_id]
        assert isinstance(state, Cluster)
        assert seen(row) == told(state)


def seen(row: dict[str, Any]) -> list[Any]:
    names = ["name", "status", "current_revision", "was_created", "has_drifted", "task_id"]
    return [*(row[name] for name in names), row["has_pending_changes"], row["is_broken"]]


def told(state: Cluster) -> list[Any]:
    task_id = str(state.task_id) if state.task_id else None
    return [
        *(state.name, state.status, state.revision, state.was_created, state.has_drifted, task_id),
        *(state.has_pending_changes, bool(state.render_errors)),
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_cluster_shows_the_documents_that_its_aggregate_has(
    scene: Scenario, seed: int
) -> None:
    fleet = await lived(scene, seed)
    await scene.feed()
    for cluster_id in fleet.clusters:
        state = fleet.states[cluster_id]
        assert isinstance(state, Cluster)
        row = await cluster(scene.reader, fleet.workspace, cluster_id)
        assert row is not None
        assert row["values"] == state.configuration.values
        assert row["secret_keys"] == sorted(state.configuration.secret_values)
        assert row["sections"] == {k: v.model_dump(mode="json") for k, v in state.sections.items()}
        applied = {k: v.model_dump(mode="json") for k, v in state.applied_sections.items()}
        assert row["applied_sections"] == applied
        pinned = {f"{k['host']}:{k['port']}": k["fingerprint"] for k in row["host_keys"]}
        assert pinned == state.host_fingerprints


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_task_shows_what_its_aggregate_says(scene: Scenario, seed: int) -> None:
    fleet = await lived(scene, seed)
    page = await scene.shows(tasks_where)
    told = {str(i): s for i, s in fleet.states.items() if isinstance(s, Task)}
    assert {row["id"] for row in page.rows} == told.keys()
    for row in page.rows:
        state = told[row["id"]]
        assert (row["status"], row["manager"]) == (state.status, state.manager)
        assert (row["attempts"], row["cancel_requested"]) == (state.attempt, state.cancel_requested)
        ended = [phase["phase"] for phase in row["phases"] if phase["ended_at"]]
        assert ended == list(state.done)


@pytest.mark.parametrize("page_records", [1, 17])
async def test_rows_do_not_depend_on_where_pages_end(scene: Scenario, page_records: int) -> None:
    fleet = await lived(scene, page_records)
    assert fleet.facts
    await scene.feed(page_records)
    in_small_pages = await scene.contents()
    for projection in PROJECTIONS:
        await rebuilder(scene).rebuild(projection)
    assert await scene.contents() == in_small_pages


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_rebuild_is_equal(scene: Scenario, seed: int) -> None:
    await lived(scene, seed)
    await scene.feed(40)
    for projection in PROJECTIONS:
        comparison = await rebuilder(scene).check(projection)
        assert comparison.is_equal, comparison.differences


async def test_no_secret_is_in_any_row(scene: Scenario) -> None:
    await lived(scene, 1)
    await scene.feed()
    assert "sealed" not in repr(await scene.contents())


def rebuilder(scene: Scenario) -> Rebuilder:
    return Rebuilder(scene.dsn, Mapper().recorded, Patience(tries=1))
