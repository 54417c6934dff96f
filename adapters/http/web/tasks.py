"""Tasks: of a workspace, of a cluster with phases and live log, and how to cancel one."""

from collections.abc import Hashable, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from adapters.http.web import live, pages, words
from adapters.http.web.cluster import HOME, found, head_of
from adapters.http.web.cursors import cursor_of_ours
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import id_in
from adapters.http.web.phases import course_of
from adapters.http.web.task_log import MAX_LINE, PIECE, piece_of, whole_text
from adapters.http.web.visit import Visit
from application.permissions import Permission
from application.tasks import CancelTask
from domain.model import NotFound, Recorded, Refusal
from projections.reader import Page, Reader, Shown
from projections.tasks import task as task_by_id
from projections.tasks import tasks_where

ROWS = 50
UNDER_WAY = ("queued", "running")


async def in_workspace(visit: Visit) -> Response:
    """The tasks of a workspace, newest first."""
    shown = await _tasks(visit, visit.reader)
    return await pages.page(visit, "tasks/list.html", **shown)


async def in_workspace_live(visit: Visit) -> Response:
    """The list of tasks as it changes."""
    # What the address asks for is known to be right before the stream begins.
    await _tasks(visit, visit.reader)
    return live.live(visit, _ListWatch(visit), visit.number("position") or 0)


class _ListWatch:
    pulse_seconds = None

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def parts(self, recorded: Recorded) -> list[Hashable]:
        if not recorded.event.topic.startswith("task."):
            return []
        return ["tasks"] if recorded.metadata.workspace_id == self._visit.workspace_id else []

    async def show(self, _: frozenset[Hashable], reader: Reader) -> str:
        html = pages.html(self._visit, "tasks/_list.html", **await _tasks(self._visit, reader))
        return live.partials({"#tasks": html})


async def _tasks(visit: Visit, reader: Reader) -> dict[str, Any]:
    statuses = [s for s in visit.request.query_params.getlist("status") if s in words.TASKS]
    kinds = [k for k in visit.request.query_params.getlist("kind") if k in words.KINDS]
    found = await _page(
        reader,
        workspace_id=visit.workspace_id,
        statuses=statuses,
        kinds=kinds,
        cursor=visit.query("cursor") or None,
    )
    return {
        "rows": found.rows,
        "beside": found,
        "statuses": statuses,
        "kinds": kinds,
    }


async def _page(reader: Reader, **where: Any) -> Page:
    with cursor_of_ours():
        return await tasks_where(reader, limit=ROWS, **where)


async def infrastructure(visit: Visit) -> Response:
    """A cluster's tasks, and one of them with its phases and its log."""
    cluster = await found(visit)
    shown = await infrastructure_shown(visit, cluster, visit.reader)
    task = shown["task"]
    piece = await piece_of(visit, UUID(task["id"]), after=_line(visit, "from")) if task else None
    return await pages.page(
        visit,
        "tasks/infrastructure.html",
        subject=UUID(cluster["id"]),
        tab="infrastructure",
        head=await head_of(visit, cluster, visit.reader),
        piece=piece,
        page_lines=PIECE,
        is_under_way=bool(task) and task["status"] in UNDER_WAY and visit.at is None,
        **shown,
    )


async def infrastructure_shown(visit: Visit, cluster: Shown, reader: Reader) -> dict[str, Any]:
    """What the tab shows: the cluster's tasks, and the one that is open with its phases."""
    kinds = [k for k in visit.request.query_params.getlist("kind") if k in words.KINDS]
    tasks = await _page(
        reader, cluster_id=UUID(cluster["id"]), kinds=kinds, cursor=visit.query("cursor") or None
    )
    task = await _chosen(visit, cluster, reader, tasks.rows)
    return {
        "cluster": cluster,
        "tasks": tasks.rows,
        "beside": tasks,
        "kind": kinds[0] if kinds else "",
        "task": task,
        "course": course_of(task, visit.times, visit.at) if task else None,
    }


async def _chosen(
    visit: Visit, cluster: Shown, reader: Reader, tasks: Sequence[Shown]
) -> Shown | None:
    """The task that the address names, or the newest."""
    if not visit.query("task"):
        return tasks[0] if tasks else None
    return await task_called(visit, reader, visit.query("task"), cluster["id"])


async def task_called(
    visit: Visit, reader: Reader, text: str, cluster_id: str | None = None
) -> Shown:
    """The task that an address names, of this workspace and cluster. Raises NotFound."""
    task_id = id_in(text)
    task = await task_by_id(reader, visit.workspace_id, task_id) if task_id else None
    if task is None or cluster_id not in (None, task["cluster_id"]):
        raise NotFound(f"There is no task {text[:60]} here.")
    return task


def _line(visit: Visit, name: str) -> int | None:
    """The number of a line that the address names."""
    return visit.number(name, MAX_LINE)


async def cancel(visit: Visit) -> Response:
    """Ask that a task ends as soon as it can be stopped."""
    task = await task_called(visit, visit.reader, visit.request.path_params["task_id"])
    address = visit.to(
        f"{visit.home}/clusters/{task['cluster_id']}/infrastructure", task=task["id"]
    )
    command = CancelTask(workspace_id=visit.workspace_id, task_id=UUID(task["id"]))
    try:
        outcome = await visit.execute(command)
    except Refusal as refusal:
        return pages.done(visit, address, refusal.detail)
    return pages.done(visit, address, "It is asked to stop.", outcome.position)


async def log(visit: Visit) -> Response:
    """A further piece of a log: the lines before a number, or those after one."""
    task = await task_called(visit, visit.reader, visit.request.path_params["task_id"])
    before = _line(visit, "before")
    after = None if before else _line(visit, "from")
    piece = await piece_of(visit, UUID(task["id"]), after=after, before=before)
    return pages.fragment(
        visit,
        "tasks/_piece.html",
        piece=piece,
        task=task,
        is_above=before is not None,
        page_lines=PIECE,
        is_under_way=task["status"] in UNDER_WAY and visit.at is None,
    )


async def log_text(visit: Visit) -> Response:
    """The whole log of a task, as text to keep."""
    task = await task_called(visit, visit.reader, visit.request.path_params["task_id"])
    name = f"{task['cluster_name']}-{task['kind']}-{task['id'][:8]}.log"
    return StreamingResponse(
        whole_text(visit, UUID(task["id"])),
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


PAGES = [
    page("/workspaces/{workspace}/tasks", in_workspace, Permission.READ_TASKS),
    page("/workspaces/{workspace}/tasks/live", in_workspace_live, Permission.READ_TASKS),
    page("/workspaces/{workspace}/tasks/{task_id}/log", log, Permission.READ_TASKS),
    page("/workspaces/{workspace}/tasks/{task_id}/log.txt", log_text, Permission.READ_TASKS),
    act("/workspaces/{workspace}/tasks/{task_id}/cancel", cancel, Permission.WRITE_TASKS),
    page(f"{HOME}/infrastructure", infrastructure, Permission.READ_CLUSTERS),
]
