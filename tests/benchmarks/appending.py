"""The whole command path against the library's `app.save` and against raw psycopg inserts.

A command is RenameWorkspace: validated from what a request brings, authorised, decided on the
cached state, encoded, and committed durably in a group with what else waits.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from statistics import median
from uuid import UUID, uuid4

import psycopg
import uvloop
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from adapters.clock import SystemClock
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from application.commands import CommandBus
from application.permissions import Principal, Role
from application.state_cache import StateCache
from application.work import Context, World
from application.workspaces import CreateWorkspace, RenameWorkspace
from application.workspaces import handlers as workspace_handlers
from domain.model import Actor
from tests.benchmarks.bench import Figure, postgres

SECONDS = 2.0
ROUNDS = 5
PID = os.getpid()
REQUESTS = count(1)
WHO = Principal(Actor(type="AuthToken", id=uuid4(), name="terraform-ci"), Role.ADMINISTRATOR)


def run() -> Iterator[Figure]:
    """Everything is measured in turn, and a figure is the median of the rounds' ratios: a machine
    that others use too is not equally fast all the time."""
    with postgres() as dsn:
        asyncio.run(migrate(dsn))
        _round(dsn)
        rounds = [_round(dsn) for _ in range(ROUNDS)]
    ours, raw, library, alone, raw_alone = zip(*rounds, strict=True)
    told = f"{median(ours):,.0f}/s; library {median(library):,.0f}/s; raw {median(raw):,.0f}/s"
    yield Figure("append_vs_library", _ratio(ours, library), 27, told=told)
    yield Figure("append_vs_raw", _ratio(ours, raw), 3.5, told=told)
    told = f"{median(alone):,.0f}/s; raw {median(raw_alone):,.0f}/s"
    yield Figure("append_single_vs_raw", _ratio(alone, raw_alone), 0.6, told=told)


def _round(dsn: str) -> tuple[float, ...]:
    """Each a second: our commands, raw and the library at their best, and ours and raw alone."""
    return (
        uvloop.run(_commands(dsn, 128)),
        max(_raw(dsn, clients) for clients in (8, 32)),
        max(_library(dsn, clients) for clients in (1, 8, 32)),
        uvloop.run(_commands(dsn, 1)),
        _raw(dsn, 1),
    )


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(one / other for one, other in zip(ours, theirs, strict=True))


async def _commands(dsn: str, in_flight: int) -> float:
    """Commands a second with so many in flight, four on each workspace."""
    async with PostgresEventStore(dsn) as store:
        world = World(store, None, None, SystemClock(), None, None)  # type: ignore[arg-type]
        bus = CommandBus(world, StateCache(store), [workspace_handlers])
        run_id = f"w{uuid4().hex[:12]}"
        done = 0
        end = time.perf_counter() + SECONDS

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < end:
                slug = f"{run_id}-{next(REQUESTS)}"
                created = await bus.execute(
                    CreateWorkspace.model_validate({"name": "Production", "slug": slug}), _context()
                )
                done += 1
                for n in range(3):
                    await bus.execute(_rename(created.result, n), _context())
                    done += 1

        await asyncio.gather(*(client() for _ in range(in_flight)))
        return done / SECONDS


def _rename(workspace_id: UUID, n: int) -> RenameWorkspace:
    return RenameWorkspace.model_validate({"workspace_id": workspace_id, "name": f"Production {n}"})


def _context() -> Context:
    return Context(WHO, remote_address="10.20.4.17", request_id=f"{next(REQUESTS):032x}", pid=PID)


STATE = b'{"name":"Production 2","previous_name":"Production 1"}'
METADATA = b'{"actor":{"type":"AuthToken","name":"terraform-ci"},"remote_address":"10.20.4.17"}'
RAW_TABLE = """
    create table if not exists raw_events (
        originator_id uuid, originator_version bigint, topic text, state bytea, metadata bytea,
        notification_id bigserial, primary key (originator_id, originator_version))
"""


def _raw(dsn: str, clients: int) -> float:
    """Single-row inserts a second by raw psycopg, one connection a thread."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(RAW_TABLE)

    def insert(connection: psycopg.Connection, stream: UUID, version: int) -> None:
        connection.execute(
            "insert into raw_events (originator_id, originator_version, topic, state, metadata)"
            " values (%s, %s, %s, %s, %s)",
            [stream, version, "workspace.renamed", STATE, METADATA],
            prepare=True,
        )

    return _threads(clients, lambda: psycopg.connect(dsn, autocommit=True), insert)


def _threads(
    clients: int,
    connect: Callable[[], psycopg.Connection],
    insert: Callable[[psycopg.Connection, UUID, int], None],
) -> float:
    counts = [0] * clients
    end = time.perf_counter() + SECONDS

    def client(n: int) -> None:
        with connect() as connection:
            while time.perf_counter() < end:
                stream = uuid4()
                for version in range(1, 5):
                    insert(connection, stream, version)
                    counts[n] += 1

    _join([threading.Thread(target=client, args=[n]) for n in range(clients)])
    return sum(counts) / SECONDS


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
    counts = [0] * clients
    end = time.perf_counter() + SECONDS

    def client(n: int) -> None:
        while time.perf_counter() < end:
            place = Place("Production", f"w{uuid4().hex[:12]}")
            application.save(place)
            counts[n] += 1
            for step in range(3):
                place.rename(f"Production {step}", place.name)
                application.save(place)
                counts[n] += 1

    _join([threading.Thread(target=client, args=[n]) for n in range(clients)])
    application.close()
    return sum(counts) / SECONDS


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
