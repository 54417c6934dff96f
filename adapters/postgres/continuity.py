"""A reader's marks are compared with the log: it may be another log than the one that was read.

After a failover or a restore the log may be shorter than what was seen, and grow again over the
same positions. The leaf hash of an event covers its position, its time and its content, so that an
event that is still there proves all before it.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from application.ports import EventsLost, Mark
from domain.merkle import event_leaf

STANDS = """
    select h.position, e.notification_id, e.leaf_hash
    from log.head h left join log.stored_events e on e.notification_id = any(%s)
"""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


async def must_continue(connection: AsyncConnection[Any], seen: Collection[Mark]) -> None:
    """Raise EventsLost unless the log still holds all that was seen."""
    asked = [mark for mark in seen if mark.position > 0]
    if not asked:
        return
    cursor = await connection.execute(STANDS, [[mark.position for mark in asked]])
    rows = await cursor.fetchall()
    head = rows[0][0]
    leaves = {position: bytes(leaf) for _, position, leaf in rows if position is not None}
    lost = [mark.position for mark in asked if not _stands(mark, head, leaves)]
    if lost:
        kept = [m.position for m in asked if m.leaf and m.position < min(lost)]
        raise EventsLost(max(lost), head, max(kept, default=None))


def row_leaf(
    position: int,
    stream_id: UUID,
    version: int,
    topic: str,
    state: bytes,
    metadata: bytes,
    recorded_at: datetime,
) -> bytes:
    """The leaf hash of a row of mapper.COLUMNS."""
    microseconds = (recorded_at - _EPOCH) // _MICROSECOND
    return event_leaf(position, microseconds, stream_id, version, topic, metadata, state)


def _stands(mark: Mark, head: int, leaves: dict[int, bytes]) -> bool:
    if mark.leaf is None:
        return mark.position <= head
    return leaves.get(mark.position) == mark.leaf
