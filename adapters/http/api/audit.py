"""The audit and the history of a cluster over the API, as JSON, CSV or JSON lines."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from adapters.http.api.shapes import audit as shapes
from adapters.http.calls import Call
from adapters.http.parameters import Instant, InWorkspace, Paging, Reading
from adapters.http.routing import Route, Within, query
from application.permissions import Permission
from domain.clusters import Cluster
from domain.model import NotFound
from projections.history import HistoryFilter, history_where
from projections.reader import Page, Reader, Shown

NDJSON, CSV = "application/x-ndjson", "text/csv"
PAGE = 100
EXPORT_PAGE = 1000
COLUMNS = (
    "position",
    "time",
    "action",
    "auditable_type",
    "auditable_id",
    "name",
    "workspace_slug",
    "user_type",
    "user_name",
    "remote_address",
    "request_id",
    "topic",
    "audited_changes",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AuditSearch(Reading, InWorkspace, Paging):
    who: str | None = Field(None, max_length=200, description="The user's or the token's name.")
    what: str | None = Field(None, max_length=100, description="The kind of record: `Cluster`.")
    subject: UUID | None = Field(None, description="One thing, with what belongs to it.")
    action: Literal["create", "update", "delete"] | None = None
    topic: str | None = Field(None, max_length=100)
    since: Instant | None = None
    until: Instant | None = None


class ClusterHistory(Reading, InWorkspace, Paging):
    """Which part of a cluster's history, and as of when."""


async def audit(call: Call) -> Page | ASGIApp:
    """Who did what and when, newest first; as CSV or JSON lines it is all of it."""
    wanted = call.parameters
    where = HistoryFilter(
        workspace_id=call.workspace_id,
        subject_id=wanted.subject,
        user_name=wanted.who,
        auditable_types=[wanted.what] if wanted.what else [],
        actions=[wanted.action] if wanted.action else [],
        topics=[wanted.topic] if wanted.topic else [],
        since=wanted.since,
        until=wanted.until,
        only_audited=True,
    )
    reader, accept = await call.reader(), call.request.headers.get("accept", "")
    if CSV in accept:
        return _export(_pages(reader, where, wanted), as_csv, CSV, "audit.csv")
    if NDJSON in accept:
        return _export(_pages(reader, where, wanted), as_lines, NDJSON, "audit.ndjson")
    return await history_where(reader, where, limit=wanted.limit or PAGE, cursor=wanted.cursor)


async def cluster_history(call: Call) -> Page:
    """Every event of a cluster, its settings and its tasks, newest first."""
    id_, wanted = call.path["cluster_id"], call.parameters
    _, state = await call.edge.cache.load(Cluster, id_)
    if not isinstance(state, Cluster) or state.workspace_id != call.workspace:
        raise NotFound(f"There is no cluster {id_}.")
    where = HistoryFilter(workspace_id=call.workspace, subject_id=id_)
    return await history_where(
        await call.reader(), where, limit=wanted.limit or PAGE, cursor=wanted.cursor
    )


def as_csv(rows: Iterable[Shown], *, is_first: bool) -> bytes:
    """Lines of CSV (RFC 4180); a text that a spreadsheet would run is disarmed."""
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return text.getvalue().encode()


def as_lines(rows: Iterable[Shown], *, is_first: bool) -> bytes:  # noqa: ARG001
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


async def _pages(
    reader: Reader, where: HistoryFilter, wanted: AuditSearch
) -> AsyncIterator[list[Shown]]:
    left, cursor = wanted.limit, wanted.cursor
    while True:
        limit = EXPORT_PAGE if left is None else left
        page = await history_where(reader, where, limit=limit, cursor=cursor)
        yield page.rows
        cursor = page.next_cursor
        if cursor is None or left is not None:
            return


def _export(
    pages: AsyncIterator[list[Shown]], write: Callable[..., bytes], kind: str, name: str
) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        is_first = True
        async for rows in pages:
            yield write(rows, is_first=is_first)
            is_first = False

    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(body(), media_type=kind, headers={"Content-Disposition": disposition})


ROUTES: tuple[Route, ...] = (
    query(
        "/audit",
        audit,
        Permission.READ_AUDIT,
        shows=list[shapes.HistoryRow],
        within=Within.ANY,
        parameters=AuditSearch,
        media_types=("application/json", NDJSON, CSV),
    ),
    query(
        "/clusters/{cluster_id}/history",
        cluster_history,
        Permission.READ_CLUSTERS,
        shows=list[shapes.HistoryRow],
        within=Within.ONE,
        of=Cluster,
        parameters=ClusterHistory,
    ),
)
