"""What stands beside the log is what the log says: claims, commands taken once, snapshots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from pydantic import ValidationError

from adapters.postgres.mapper import COLUMNS, Mapper
from adapters.postgres.sessions import connect_blocking
from application.claims import claims_of
from application.state_cache import snapshot_topic
from domain.model import Aggregate, OutOfOrder, Recorded

LOG = f"select {COLUMNS} from log.stored_events order by notification_id"
STREAM = f"""
    select {COLUMNS} from log.stored_events
    where originator_id = %s and originator_version <= %s order by originator_version
"""
# An append remembers its command at its last event, or at 0 when it had none.
COMMANDS = """
    with told as (
        select convert_from(metadata, 'UTF8')::jsonb ->> 'command_id' as command_id,
               max(notification_id) as position, max(recorded_at) as recorded_at
        from log.stored_events where position('"command_id":"'::bytea in metadata) > 0 group by 1
    )
    select coalesce(c.command_id, t.command_id), c.position, coalesce(t.position, 0)
    from log.commands c full join told t using (command_id)
    where coalesce(c.position, -1) <> coalesce(t.position, 0)
       or t.recorded_at is distinct from c.recorded_at and t.position is not null
    order by 1
"""
Connection = psycopg.Connection[Any]
Kinds = Sequence[type[Aggregate]]


@dataclass(frozen=True, slots=True)
class Beside:
    """How much there is of each, and a sentence about each that is not what the log says."""

    claims: int
    commands: int
    snapshots: int
    differences: Sequence[str]


def verify_beside(dsn: str, kinds: Kinds) -> Beside:
    """Compare all of it with the log, as both are at one moment. It waits: call it in a thread."""
    with connect_blocking(dsn, name="verify beside") as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        differences = [*_claims(connection), *_commands(connection), *_snapshots(connection, kinds)]
        return Beside(
            claims=_count(connection, "claims"),
            commands=_count(connection, "commands"),
            snapshots=_count(connection, "snapshots"),
            differences=differences,
        )


def _claims(connection: Connection) -> Iterator[str]:
    told = claims_of(_read(connection))
    kept: Mapping[str, UUID] = dict(
        connection.execute("select key, holder from log.claims").fetchall()
    )
    for key in sorted(told.keys() | kept.keys()):
        if key not in kept:
            yield f"claim {key}: nobody has it, but by the log {told[key]} does"
        elif key not in told:
            yield f"claim {key}: {kept[key]} has it, but not by the log"
        elif kept[key] != told[key]:
            yield f"claim {key}: {kept[key]} has it, but by the log {told[key]} does"


def _commands(connection: Connection) -> Iterator[str]:
    for command_id, kept, told in connection.execute(COMMANDS):
        if kept is None:
            yield f"command {command_id}: it is not remembered, but took effect at position {told}"
        elif not told:
            yield f"command {command_id}: it is remembered at position {kept}, which is not its own"
        elif kept != told:
            yield f"command {command_id}: it is remembered at position {kept} instead of {told}"
        else:
            yield f"command {command_id}: it is remembered with another time than its event's"


def _snapshots(connection: Connection, kinds: Kinds) -> Iterator[str]:
    """Those that would be read; one of another form is not, and is let be."""
    by_topic = {snapshot_topic(kind): kind for kind in kinds}
    found = connection.execute(
        "select originator_id, originator_version, topic, state from log.snapshots"
        " where topic = any(%s) order by 1, 2",
        [list(by_topic)],
    )
    for stream_id, version, topic, state in found.fetchall():
        kind = by_topic[topic]
        fault = _fault(connection, kind, stream_id, version, bytes(state))
        if fault is not None:
            name = f"{kind.__name__} {stream_id} at version {version}"
            yield f"snapshot of {name}: {fault}"


def _fault(
    connection: Connection, kind: type[Aggregate], stream_id: UUID, version: int, state: bytes
) -> str | None:
    """What is wrong with a snapshot, if anything is."""
    mapper = Mapper()
    events = connection.execute(STREAM.encode(), [stream_id, version]).fetchall()
    if len(events) < version:
        return f"its stream has only {len(events)} events"
    folded: Aggregate | None = None
    try:
        for row in events:
            folded = kind.evolve(folded, mapper.recorded(*row).event)
        is_equal = kind.model_validate_json(state) == folded
    except OutOfOrder:
        return "its stream is of another kind"
    except ValidationError:
        is_equal = False
    return None if is_equal else "it is not what its events make"


def _read(connection: Connection) -> Iterator[Recorded]:
    mapper = Mapper()
    with connection.cursor(name="log", binary=True) as cursor:
        cursor.itersize = 5_000
        for row in cursor.execute(LOG.encode()):
            yield mapper.recorded(*row)


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from log.{table}".encode()).fetchone()
    return int(row[0]) if row else 0
