"""The audit and the history of a cluster over the API, as JSON, CSV or JSON lines."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from typing import Literal
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from adapters.http.api.shapes import audit as shapes
from adapters.http.calls import Call
from adapters.http.edge import Edge
from adapters.http.parameters import Instant, InWorkspace, Paging, Reading
from adapters.http.routing import Route, Within, query
from application.permissions import Permission
from domain.clusters import Cluster
from domain.model import NotFound
from projections.history import HistoryFilter, history_where
from projections.reader import Page, Reader, Shown

NDJSON, CSV = "application/x-ndjson", "text/csv"
PAGE = 100
EXPORT_PAGE = 100
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
Write = Callable[..., bytes]
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

    def parts(write: Write) -> AsyncIterator[bytes]:
        tenant, limit, cursor = call.principal.tenant, wanted.limit, wanted.cursor
        return written(call.edge, tenant, reader, where, write, limit=limit, cursor=cursor)

    if CSV in accept:
        return export(parts(as_csv), CSV, "audit.csv")
    if NDJSON in accept:
        return export(parts(as_lines), NDJSON, "audit.ndjson")
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


async def written(
    edge: Edge,
    tenant: Hashable,
    reader: Reader,
    where: HistoryFilter,
    write: Write,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> AsyncIterator[bytes]:
    """All lines from the cursor on, or as many as the limit says; each part in the tenant's turn:
    an export is long, and others are served between its parts."""
    is_first = True
    while is_first or cursor:
        async with edge.long_reads.turn(tenant):
            page = await history_where(reader, where, limit=limit or EXPORT_PAGE, cursor=cursor)
            part = write(page.rows, is_first=is_first)
        yield part
        cursor, is_first = None if limit else page.next_cursor, False


def export(parts: AsyncIterator[bytes], kind: str, name: str) -> StreamingResponse:
    """An answer that a browser keeps as a file."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, media_type=kind, headers=headers)


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
