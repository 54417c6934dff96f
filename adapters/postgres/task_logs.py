"""Lines of task logs: samples in partitions by day, numbered within their task."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection, errors
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from application.ports import LogLine, TaskLogLine

CHANNEL = "quarterdeck_task_log"
KEPT_DAYS = 30
ADD_DAYS = "select samples.add_task_log_days()"


class PostgresTaskLogs:
    """ports.TaskLogs. A line whose (phase, offset) was kept before is dropped."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def write(self, task_id: UUID, lines: Iterable[LogLine]) -> None:
        wanted = list(lines)
        if not wanted:
            return
        with reachable():
            async with self._pool.connection() as connection:
                try:
                    await _write(connection, task_id, wanted)
                except errors.CheckViolation:
                    await connection.execute(ADD_DAYS)
                    await _write(connection, task_id, wanted)

    async def read(self, task_id: UUID, after: int = 0, limit: int = 1000) -> Sequence[TaskLogLine]:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select number, at, phase, stream, text from samples.task_log_lines"
                    " where task_id = %s and number > %s order by number limit %s",
                    [task_id, after, limit],
                )
                return [TaskLogLine(*row) for row in await cursor.fetchall()]

    async def last_number(self, task_id: UUID, until: datetime | None = None) -> int:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select coalesce(max(number), 0) from samples.task_log_lines"
                    " where task_id = %s and at <= coalesce(%s, 'infinity'::timestamptz)",
                    [task_id, until],
                )
                row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def offsets(self, task_id: UUID) -> Mapping[str, int]:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select offsets from samples.task_log_heads where task_id = %s", [task_id]
                )
                row = await cursor.fetchone()
        return row[0] if row else {}

    async def drop_old(self) -> None:
        """Drop the partitions whose lines are older than is kept; add those of the next days."""
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(ADD_DAYS)
                await connection.execute("select samples.drop_task_log_days(%s)", [KEPT_DAYS])


async def _write(
    connection: AsyncConnection[tuple[object, ...]], task_id: UUID, lines: Sequence[LogLine]
) -> None:
    async with connection.transaction():
        await connection.execute(
            "insert into samples.task_log_heads values (%s, 0, '{}') on conflict do nothing",
            [task_id],
        )
        cursor = await connection.execute(
            "select last_number, offsets from samples.task_log_heads where task_id = %s for update",
            [task_id],
        )
        row = await cursor.fetchone()
        assert row is not None
        number, offsets = int(str(row[0])), dict(row[1])  # type: ignore[call-overload]
        rows = []
        for line in lines:
            if line.offset is not None and line.offset <= offsets.get(line.phase, -1):
                continue
            if line.offset is not None:
                offsets[line.phase] = line.offset
            number += 1
            text = line.text.replace("\0", "\ufffd")
            rows.append((task_id, number, line.phase, line.stream, line.offset, text))
        async with connection.cursor() as many:
            await many.executemany(
                "insert into samples.task_log_lines"
                " (task_id, number, at, phase, stream, kept_offset, text)"
                " values (%s, %s, clock_timestamp(), %s, %s, %s, %s)",
                rows,
            )
        await connection.execute(
            "update samples.task_log_heads set last_number = %s, offsets = %s where task_id = %s",
            [number, Jsonb(offsets), task_id],
        )
        await connection.execute("select pg_notify(%s, %s)", [CHANNEL, f"{task_id} {number}"])
