"""The whole command path against the library's `app.save` and against raw psycopg inserts.

A command is RenameWorkspace: validated from what a request brings, authorised, decided on the
cached state, encoded, and committed durably in a group with what else waits. Every client, ours or
theirs, has one stream of its own, which is there before the clock runs.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from statistics import median
from uuid import UUID, uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from adapters.clock import SystemClock
from adapters.postgres.event_store import PostgresEventStore
from adapters.running import run as run_process
from application.commands import CommandBus
from application.permissions import Principal, Role
from application.state_cache import StateCache
from application.work import Context, World
from application.workspaces import CreateWorkspace, RenameWorkspace
from application.workspaces import handlers as workspace_handlers
from domain.model import Actor
from tests.benchmarks.bench import Database, Figure, on_each_server

SECONDS = 0.5
ROUNDS = 20
PID = os.getpid()
Once = Callable[[], None]
"""Writes the next event of a client's stream."""
REQUESTS = count(1)
WHO = Principal(Actor(type="AuthToken", id=uuid4(), name="terraform-ci"), Role.ADMINISTRATOR)


def run() -> Iterator[Figure]:
    """Everything is measured in turn, in many short rounds, and a figure is the median of their
    ratios: a machine that others use too is not equally fast from one second to the next."""
    yield from on_each_server(_figures)


def _figures(database: Database) -> Iterator[Figure]:
    _round(database)
    rounds = [_round(database) for _ in range(ROUNDS)]
    yield _against(
        "append_vs_library", 27, rounds, "ours", ["library 1", "library 8", "library 32"]
    )
    yield _against("append_vs_raw", 3.5, rounds, "ours", ["raw 8", "raw 32"])
    yield _against("append_single_vs_raw", 0.6, rounds, "ours alone", ["raw alone"])


Round = dict[str, float]
"""Events a second by whose they are, and by how many clients when not by 128 or alone."""


def _round(database: Database) -> Round:
    ours, theirs = database.process, database.owner
    return {
        "ours": run_process(_commands(ours, 128)),
        "ours alone": run_process(_commands(ours, 1)),
        **{f"raw {clients}": _raw(theirs, clients) for clients in (8, 32)},
        "raw alone": _raw(theirs, 1),
        **{f"library {clients}": _library(theirs, clients) for clients in (1, 8, 32)},
    }


def _against(
    name: str, bound: float, rounds: Sequence[Round], ours: str, theirs: Sequence[str]
) -> Figure:
    """Against the number of clients that does best for them: best over the rounds, because the
    best of each round would be whoever was luckiest in it."""
    ratios = {one: median(r[ours] / r[one] for r in rounds) for one in theirs}
    told = "; ".join(f"{one} {median(r[one] for r in rounds):,.0f}/s" for one in (ours, *theirs))
    return Figure(name, min(ratios.values()), bound, told=told)


async def _commands(dsn: str, in_flight: int) -> float:
    """Commands a second with so many in flight."""
    async with PostgresEventStore(dsn) as store:
        world = World(store, None, None, SystemClock(), None, None)  # type: ignore[arg-type]
        bus = CommandBus(world, StateCache(store), [workspace_handlers])
        run_id = f"w{uuid4().hex[:12]}"

        async def a_workspace(n: int) -> UUID:
            command = CreateWorkspace.model_validate(
                {"name": "Production", "slug": f"{run_id}-{n}"}
            )
            created: UUID = (await bus.execute(command, _context())).result
            await bus.execute(_rename(created, -1), _context())
            return created

        async def client(workspace_id: UUID, end: float) -> int:
            done = 0
            while time.perf_counter() < end:
                await bus.execute(_rename(workspace_id, done), _context())
                done += 1
            return done

        workspaces = await asyncio.gather(*(a_workspace(n) for n in range(in_flight)))
        begun = time.perf_counter()
        done = await asyncio.gather(*(client(w, begun + SECONDS) for w in workspaces))
        return sum(done) / (time.perf_counter() - begun)


def _rename(workspace_id: UUID, n: int) -> RenameWorkspace:
    return RenameWorkspace.model_validate({"workspace_id": workspace_id, "name": f"Production {n}"})


def _context() -> Context:
    request_id = f"{next(REQUESTS):032x}"
    return Context(WHO, {"remote_address": "10.20.4.17", "request_id": request_id, "pid": PID})


STATE = b'{"name":"Production 2","previous_name":"Production 1"}'
METADATA = (
    b'{"workspace_id":"8e6d2f6a-3f0e-4a52-9a41-6f0c8f6b2a11","workspace":"w1234567890ab-123456",'
    b'"actor":{"type":"AuthToken","id":"2b7f0d9e-61c4-4d7e-b0a5-0f3b0a1d9c22","name":"terraform-ci"},'
    b'"remote_address":"10.20.4.17","request_id":"0000000000000000000000000012d687","pid":12345}'
)
"""What our commands store, byte for byte as long."""
RAW_TABLE = """
    create sequence if not exists raw_positions;
    create table if not exists raw_events (like log.stored_events including all);
    alter table raw_events alter notification_id set default nextval('raw_positions')
"""


INSERT = """
    insert into raw_events (originator_id, originator_version, topic, state, metadata)
    values (%s, %s, %s, %s, %s)
"""


def _raw(dsn: str, clients: int) -> float:
    """Single-row inserts a second by raw psycopg into a table of the log's shape."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(RAW_TABLE)

    @contextmanager
    def inserting() -> Iterator[Once]:
        stream, versions = uuid4(), count(1)
        with psycopg.connect(dsn, autocommit=True) as connection:

            def once() -> None:
                connection.execute(
                    INSERT,
                    [stream, next(versions), "workspace.renamed", STATE, METADATA],
                    prepare=True,
                )

            yield once

    return _in_threads(clients, inserting)


class Place(Aggregate):
    """A workspace as the library would have it."""

    @event("Created")
    def __init__(self, name: str, slug: str) -> None:
        self.name = name
        self.slug = slug

    @event("Renamed")
    def rename(self, name: str, previous_name: str) -> None:
        self.name = name


def _library(dsn: str, clients: int) -> float:
    """Saves a second by the eventsourcing library's application on its own PostgreSQL tables."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    application = Application[UUID](
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts["port"]),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": "",
            "POSTGRES_POOL_SIZE": str(clients),
        }
    )

    @contextmanager
    def saving() -> Iterator[Once]:
        place, steps = Place("Production", f"w{uuid4().hex[:12]}"), count(1)
        application.save(place)

        def once() -> None:
            place.rename(f"Production {next(steps)}", place.name)
            application.save(place)

        yield once

    with closing(application):
        return _in_threads(clients, saving)


def _in_threads(clients: int, open_client: Callable[[], AbstractContextManager[Once]]) -> float:
    """Events a second of so many threads, each with a client of its own that is warm."""
    counts = [0] * clients
    ready = threading.Barrier(clients + 1)

    def client(n: int) -> None:
        with open_client() as once:
            once()
            ready.wait()
            end = time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                once()
                counts[n] += 1

    threads = [threading.Thread(target=client, args=[n]) for n in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)
