"""What /metrics tells of the log and of all who follow it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.http.app import build
from adapters.observability.metrics import PrometheusMeasures
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.system import PostgresSystem
from adapters.processes.measuring import measure_readers, measure_writes
from application.ports import Append, Mark, StreamAppend
from application.workspaces import RenameWorkspace
from domain.workspaces import WorkspaceRenamed
from projections import PROJECTIONS
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")
Numbers = Mapping[tuple[str, str | None], float]


@pytest.fixture
def measured(quarterdeck: Quarterdeck) -> Quarterdeck:
    measures, system = PrometheusMeasures(), quarterdeck.edge.system
    assert isinstance(system, PostgresSystem)
    measure_writes(measures, quarterdeck.hub)
    measure_readers(measures, quarterdeck.hub, system)
    return replace(quarterdeck, app=build(replace(quarterdeck.edge, measures=measures)))


async def numbers(measured: Quarterdeck) -> Numbers:
    """The samples by name, and by reader where there is one."""
    async with measured.client() as client:
        text = (await client.get("/metrics")).text
    return {
        (sample.name.removeprefix("quarterdeck_"), sample.labels.get("reader")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_each_reader_of_the_log_says_how_far_behind_it_is(measured: Quarterdeck) -> None:
    await measured.workspace()
    head = await measured.hub.store.head()
    await measured.edge.reads.reader(after=head)
    relay, loki = (PostgresMarks(measured.hub.pool, name) for name in ("relay", "loki"))
    await relay.save(0, Mark(1, 0))
    await loki.save(0, Mark(head + 1, head))

    told = await numbers(measured)

    assert told["log_position", None] == head
    for projection in PROJECTIONS:
        assert told["reader_lag_events", projection.name] == 0
        assert told["reader_lag_seconds", projection.name] == 0
    assert told["reader_lag_events", "relay"] == head
    assert told["reader_lag_seconds", "relay"] > 0
    assert told["reader_lag_events", "loki"] == 0


async def test_what_is_parked_is_counted(measured: Quarterdeck) -> None:
    marks = PostgresMarks(measured.hub.pool, "audit printer")
    await marks.save(0, Mark(2, 1))
    assert (await numbers(measured))["parked_events", "audit printer"] == 0
    await marks.park(1, "cannot be told")
    assert (await numbers(measured))["parked_events", "audit printer"] == 1
    await marks.settle([1])


async def test_batches_and_what_waits_for_one_are_counted(measured: Quarterdeck) -> None:
    before = await numbers(measured)
    await measured.workspace()
    after = await numbers(measured)
    assert after["append_batches_total", None] == before["append_batches_total", None] + 1
    assert after["appends_waiting", None] == 0


async def test_a_stream_that_had_moved_on_is_counted(measured: Quarterdeck) -> None:
    workspace_id = await measured.workspace()
    async with PostgresEventStore(measured.hub.dsn) as other:
        for n in range(100):
            version = (await other.load(workspace_id))[-1].version
            renamed = WorkspaceRenamed(name=f"o{n}", previous_name="x")
            streams = [StreamAppend(workspace_id, version, [renamed])]
            await other.append(Append(streams, {}))
            # Unless this process has heard of it already.
            await measured.execute(RenameWorkspace(workspace_id=workspace_id, name=f"m{n}"))
            if (await numbers(measured))["append_conflicts_total", None]:
                return
    raise AssertionError("no conflict was counted")
