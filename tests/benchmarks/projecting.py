"""Events into a read model by our projector, against the library's ProjectionRunner."""

import asyncio
import time
from collections.abc import Iterator
from functools import singledispatchmethod
from typing import Any
from uuid import UUID

import psycopg
import uvloop
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from adapters.postgres.mapper import Mapper
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogStream
from projections.workspaces import workspaces
from tests.benchmarks.bench import Database, Figure, median_of, on_each_server
from tests.benchmarks.replaying import fill

STREAMS, EVENTS = 2_000, 50
THEIRS = 3_000


def run() -> Iterator[Figure]:
    yield from on_each_server(_figures)


def _figures(database: Database) -> Iterator[Figure]:
    asyncio.run(fill(database.process, STREAMS, EVENTS))
    ours = median_of(lambda: uvloop.run(_projector(database)))
    library = median_of(lambda: _library(database.owner))
    told = f"{ours:,.0f}/s; library {library:,.0f}/s"
    yield Figure("projector_vs_library", ours / library, 40, told=told)


async def _projector(database: Database) -> float:
    """Events a second from an empty read model to one that shows the whole log."""
    dsn, owner = database.process, database.owner
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute("delete from read_models.builds where projection = 'workspaces'")
        await connection.execute("drop view if exists read.workspaces")
        await install(dsn, [workspaces])
        decode = Mapper().recorded
        stream = LogStream(dsn, decode)
        projector = Projector(dsn, [workspaces], stream, Rebuilder(dsn, decode))
        begun = time.perf_counter()
        running = asyncio.create_task(projector.run())
        total = STREAMS * EVENTS
        while await _seen(connection) < total:
            await asyncio.sleep(0.005)
        seconds = time.perf_counter() - begun
        running.cancel()
        await asyncio.wait([running])
    return total / seconds


async def _seen(connection: psycopg.AsyncConnection[Any]) -> int:
    cursor = await connection.execute(
        "select coalesce(min(p.upto), 0) from read_models.positions p"
        " join read_models.builds b using (build) where b.is_active"
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


class Place(Aggregate):
    """A workspace as the library would have it."""

    @event("Created")
    def __init__(self, name: str, slug: str) -> None:
        self.name = name
        self.slug = slug

    @event("Renamed")
    def rename(self, name: str) -> None:
        self.name = name


class Places(Application[UUID]):
    """The library's application over them."""


class PlacesView(PostgresTrackingRecorder):
    """The library's read model: the row and the position in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **more: Any) -> None:
        super().__init__(datastore, **more)
        self.sql_create_statements.append(
            SQL("create table if not exists places_view (id uuid primary key, name text)")
        )

    def put(self, place_id: UUID, name: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "insert into places_view values (%s, %s)"
                " on conflict (id) do update set name = excluded.name",
                (place_id, name),
                prepare=True,
            )


class PlacesProjection(Projection[PlacesView]):
    name = "places"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.put(domain_event.originator_id, domain_event.name, tracking)


def _library(dsn: str) -> float:
    """Events a second through the library's ProjectionRunner, from an empty read model."""
    parts = conninfo_to_dict(dsn)
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts["port"]),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": "",
    }
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in ("places_events", "places_view", "places_tracking"):
            connection.execute(f"drop table if exists {table}".encode())
        places = Places(environment)
        for n in range(THEIRS // 50):
            place = Place("Production", f"w{n}")
            for step in range(49):
                place.rename(f"Production {step}")
            places.save(place)
        last = places.recorder.max_notification_id()
        assert last is not None
        begun = time.perf_counter()
        with ProjectionRunner(
            application_class=Places,
            projection_class=PlacesProjection,
            view_class=PlacesView,
            env=environment,
        ) as runner:
            runner.wait(last, timeout=120)
            seconds = time.perf_counter() - begun
        places.close()
    return THEIRS / seconds
