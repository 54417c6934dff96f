"""A fleet of 10,000 clusters in `quarterdeck up`: its first page, its lag, its memory."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import httpx2
import uvloop

from adapters.embedded.postgres import EmbeddedPostgres, running_dsn
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.visibility import Visibility
from application.ports import Append, Claim, StreamAppend
from domain.cluster_settings import ClusterSettings, Settings
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster, Configuration
from domain.model import Aggregate, Event
from domain.secrets import Secret
from domain.values import OperationKind
from domain.workspaces import Workspace, WorkspaceRenamed, WorkspaceSettings
from projections import PROJECTIONS
from tests.benchmarks.bench import KEYS, Database, Figure, busy_core, folder, named_for, stock
from tests.support.quarterdeck import Quarterdeck, eventually

CLUSTERS = 10_000
ASKS = 200
COMMANDS_PER_SECOND = 500
SECONDS = 8.0
SPACE = UUID("9a6c7c2e-6f0e-4a57-8f6c-3d6f0a0c2f11")
AT_REST = Settings(check_interval=7 * 24 * 60)
"""No cluster's routine check falls into the measurement: its host is nowhere."""


def run() -> Iterator[Figure]:
    with running_fleet() as program:
        dsn = running_dsn(program.folder / "data" / "postgres")
        assert dsn is not None
        yield from _figures(program, dsn)
    with stock() as database, running_fleet(database) as program:
        yield from named_for(database, _figures(program, database.process))


@contextmanager
def running_fleet(database: Database | None = None) -> Iterator[Quarterdeck]:
    """`quarterdeck up` over 10,000 clusters in the workspace `fleet`, all of them shown.

    It has an embedded PostgreSQL, unless a database is given.
    """
    with folder() as place:
        settings = {"database_url": database.process, "keys": KEYS} if database else {}
        program = Quarterdeck(place, **settings)
        try:
            program.start()
            program.stop()
            if database:
                uvloop.run(_fill(database.process))
            else:
                with EmbeddedPostgres(place / "data" / "postgres") as server:
                    uvloop.run(_fill(server.dsn))
            program.start()
            token = program.token("--global")
            until_shown(program, token)
            yield program
        finally:
            program.close()


def _figures(program: Quarterdeck, dsn: str) -> Iterator[Figure]:
    assert program.process is not None
    memory = resident_mib(program.process.pid)
    yield Figure("rss_up_mib", memory, 250, at_most=True, told=f"{CLUSTERS:,} clusters, idle")
    times = _list_times(program)
    yield Figure("list_10000_p95_ms", percentile(times, 95), 100, at_most=True)
    yield _lag("lag_p99_ms", dsn)
    with busy_core():
        yield _lag("lag_p99_ms_busy", dsn)


def _lag(name: str, dsn: str) -> Figure:
    lags = uvloop.run(_lags(dsn))
    told = f"p50 {statistics.median(lags):.1f} ms, {len(lags):,} commands"
    return Figure(name, percentile(lags, 99), 50, at_most=True, told=told)


async def _fill(dsn: str) -> None:
    """The log of a fleet: a workspace, a template, and the clusters, most of them installed."""
    who = {"workspace_id": SPACE, "workspace": "fleet"}
    async with PostgresEventStore(dsn) as store:
        space = Workspace.create("Fleet", "fleet", WorkspaceSettings())
        claim = Claim("workspace:fleet", SPACE)
        await store.append(Append([StreamAppend(SPACE, 0, list(space))], who, [claim]))
        template_id, version_id = uuid4(), uuid4()
        template = list(ClusterTemplate.create(SPACE, "edge", ""))
        state = ClusterTemplate.fold(template)
        assert state is not None
        template += state.add_version(version_id, "", (), ())
        await store.append(Append([StreamAppend(template_id, 0, template)], who))
        declared = Configuration(template_id=template_id, template_version_id=version_id)
        for start in range(0, CLUSTERS, 200):
            await asyncio.gather(
                *(
                    store.append(Append(_cluster(n, declared), who))
                    for n in range(start, start + 200)
                )
            )


def _cluster(n: int, declared: Configuration) -> list[StreamAppend]:
    cluster_id = uuid5(SPACE, str(n))
    created = list(
        Cluster.create(
            workspace_id=SPACE,
            name=f"edge-{n % 97:02d}-{n:05d}",
            configuration=declared,
            registry_id=None,
            ssh_public_key="ssh-ed25519 AAAA",
            ssh_private_key="none",
        )
    )
    created = [event.with_secrets(lambda *_: Secret(token="1|t|f|none")) for event in created]
    events = _followed(Cluster, created, n)
    settings = list(ClusterSettings.create(cluster_id, AT_REST))
    return [
        StreamAppend(ClusterSettings.id_of(cluster_id), 0, settings),
        StreamAppend(cluster_id, 0, events),
    ]


def _followed(kind: type[Cluster], events: list[Event], n: int) -> list[Event]:
    """What happened to the n-th cluster after it was declared: every tenth change failed."""
    task = uuid4()

    def then(decided: Iterator[Event]) -> None:
        events.extend(decided)

    def state() -> Cluster:
        folded: Aggregate | None = kind.fold(events)
        assert isinstance(folded, Cluster)
        return folded

    then(state().render({}, "none"))
    then(state().request(OperationKind.INSTALL, task))
    then(state().start(OperationKind.INSTALL, task))
    if n % 10 == 0:
        then(state().fail(OperationKind.INSTALL, task, "It did not answer.", lost=False))
    else:
        then(state().apply(OperationKind.INSTALL, task, 1, {}))
    return events


def until_shown(program: Quarterdeck, token: str) -> None:
    eventually(lambda: _is_shown(program, token), 120)


def _is_shown(program: Quarterdeck, token: str) -> bool:
    """Whether everything that follows the log is at its end."""
    answer = httpx2.get(f"{program.url}/api/v1/system", headers={"X-Auth-Token": token}, timeout=60)
    system = answer.raise_for_status().json()
    behind = [each for each in system["readers"] if each["position"] < system["position"]]
    return bool(system["readers"]) and not behind


def _list_times(program: Quarterdeck) -> list[float]:
    """Milliseconds to the first page of 50, filtered by text and status, sorted by name."""
    token = program.token("--workspace", "fleet")
    times = []
    with httpx2.Client(base_url=program.url, headers={"X-Auth-Token": token}) as client:
        for n in range(ASKS):
            path = f"/api/v1/clusters?limit=50&search=edge-{n % 97:02d}&sort=name"
            begun = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 200, answer.text
    return times


async def _lags(dsn: str) -> list[float]:
    """Milliseconds from each commit to when the read models show it, at a steady rate."""
    lags: list[float] = []
    visibility = Visibility(dsn, PROJECTIONS)
    running = asyncio.create_task(visibility.run())
    who = {"workspace_id": SPACE, "workspace": "fleet"}
    async with PostgresEventStore(dsn) as store:

        async def command(n: int) -> None:
            stream = uuid4()
            events: Sequence[Event] = [
                *Workspace.create(f"w{n}", f"w{stream.hex[:12]}", WorkspaceSettings()),
                WorkspaceRenamed(name="b", previous_name=f"w{n}"),
            ]
            appended = await store.append(Append([StreamAppend(stream, 0, events[:1])], who))
            committed = time.perf_counter()
            assert await visibility.wait_for(appended.position, timeout_seconds=10)
            lags.append((time.perf_counter() - committed) * 1000)

        async with asyncio.TaskGroup() as group:
            begun = time.perf_counter()
            for n in range(int(COMMANDS_PER_SECOND * SECONDS)):
                group.create_task(command(n))
                ahead = begun + n / COMMANDS_PER_SECOND - time.perf_counter()
                if ahead > 0:
                    await asyncio.sleep(ahead)
    running.cancel()
    await asyncio.wait([running])
    return lags


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def resident_mib(pid: int) -> float:
    """Resident memory of the process, without PostgreSQL, which is a process of its own."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
