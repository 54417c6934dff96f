"""Tasks: of a workspace, of a cluster with phases and live log, and how to cancel one."""

from collections.abc import Hashable, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from adapters.http.web import live, pages, words
from adapters.http.web.cluster import HOME, Concerned, found, head_of
from adapters.http.web.cluster import shown as overview_shown
from adapters.http.web.cursors import cursor_of_ours
from adapters.http.web.endpoints import act, page
from adapters.http.web.live import EVERYTHING, PULSE
from adapters.http.web.phases import course_of
from adapters.http.web.task_log import PIECE, phase_of, piece_of, shown_lines, whole_text
from adapters.http.web.visit import Visit
from application.permissions import Permission
from application.tasks import CancelTask
from domain.model import NotFound, Recorded, Refusal
from projections.reader import Page, Reader, Shown
from projections.tasks import task as task_by_id
from projections.tasks import tasks_where

ROWS = 50
LINES = 1_000
"""Lines of a log that one live message adds at most."""
UNDER_WAY = ("queued", "running")
PULSE_SECONDS = 0.25


async def in_workspace(visit: Visit) -> Response:
    """The tasks of a workspace, newest first."""
    shown = await _tasks(visit, visit.reader)
    return await pages.page(visit, "tasks/list.html", **shown)


async def in_workspace_live(visit: Visit) -> Response:
    """The list of tasks as it changes."""
    return live.live(visit, _ListWatch(visit), int(visit.query("position") or 0))


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
    shown = await _infrastructure(visit, cluster, visit.reader)
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


async def _infrastructure(visit: Visit, cluster: Shown, reader: Reader) -> dict[str, Any]:
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
    return await _task(visit, reader, visit.query("task"), cluster["id"])


async def _task(visit: Visit, reader: Reader, text: str, cluster_id: str | None = None) -> Shown:
    try:
        task = await task_by_id(reader, visit.workspace_id, UUID(text))
    except ValueError:
        task = None
    if task is None or cluster_id not in (None, task["cluster_id"]):
        raise NotFound(f"There is no task {text[:60]} here.")
    return task


def _line(visit: Visit, name: str) -> int | None:
    """The number of a line that the address names."""
    text = visit.query(name)
    return int(text) if text.isdecimal() and len(text) < 10 else None


async def cluster_live(visit: Visit) -> Response:
    """A cluster's page as it changes, whichever of its tabs it is."""
    cluster = await found(visit)
    tasks = await tasks_where(visit.reader, cluster_id=UUID(cluster["id"]), limit=ROWS)
    watch = _ClusterWatch(visit, {UUID(task["id"]) for task in tasks.rows})
    return live.live(visit, watch, int(visit.query("position") or 0))


class _ClusterWatch:
    """Any event of a cluster changes its head and the tab that is open; a log grows by itself."""

    def __init__(self, visit: Visit, tasks: set[UUID]) -> None:
        self._visit = visit
        self._tab = visit.query("tab")
        self._home = f"{visit.home}/clusters/{visit.path_id('cluster_id')}"
        self._about = Concerned(visit.path_id("cluster_id"), tasks)
        self._line = int(visit.query("line") or 0)
        self._phase: str | None = None
        self._log_of = visit.query("task")

    @property
    def pulse_seconds(self) -> float | None:
        return PULSE_SECONDS if self._tab == "infrastructure" and self._log_of else None

    def parts(self, recorded: Recorded) -> list[Hashable]:
        return ["cluster"] if self._about.by(recorded) else []

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        html = await self._log() if PULSE in parts else ""
        if parts & {"cluster", EVERYTHING}:
            html += await self._cluster(reader)
        return html

    async def _cluster(self, reader: Reader) -> str:
        visit = self._visit
        cluster = await found(visit, reader)
        head = await head_of(visit, cluster, reader)
        html = live.partials({"#cluster-head": pages.html(visit, "cluster/_head.html", head=head)})
        if self._tab == "overview":
            shown = await overview_shown(visit, cluster, reader)
            return html + live.partials(
                {"#cluster-body": pages.html(visit, "cluster/_overview.html", **shown)}
            )
        if self._tab == "infrastructure":
            return html + await self._infrastructure(cluster, head, reader)
        return html + self._stale(cluster)

    async def _infrastructure(self, cluster: Shown, head: Any, reader: Reader) -> str:
        visit = self._visit
        shown = await _infrastructure(visit, cluster, reader)
        html = pages.html(visit, "tasks/_task_list.html", head=head, **shown)
        fragments = {"#task-list": html}
        if shown["task"]:
            fragments["#task-course"] = pages.html(visit, "tasks/_course.html", head=head, **shown)
        return live.partials(fragments)

    def _stale(self, cluster: Shown) -> str:
        """What someone edits or reads is not pulled away: a note says that there is news."""
        seen = self._visit.query("revision")
        is_new = self._tab == "history" or str(cluster["current_revision"]) != seen
        html = pages.html(
            self._visit, "cluster/_stale.html", cluster=cluster, tab=self._tab, is_new=is_new
        )
        return live.partials({"#stale": html})

    async def _log(self) -> str:
        logs, task_id = self._visit.edge.task_logs, UUID(self._log_of)
        lines = await logs.read(task_id, self._line, LINES)
        if not lines:
            return ""
        before = self._phase or await phase_of(logs, task_id, self._line)
        html = pages.html(
            self._visit,
            "tasks/_lines.html",
            lines=shown_lines(lines, before),
            task_id=task_id,
            log_page=f"{self._home}/infrastructure",
        )
        self._line, self._phase = lines[-1].number, lines[-1].phase
        count = live.partials({"#log-count": words.plural(self._line, "line")}, "innerHTML")
        return live.partials({"#log": html}, "beforeend") + count


async def cancel(visit: Visit) -> Response:
    """Ask that a task ends as soon as it can be stopped."""
    task = await _task(visit, visit.reader, visit.request.path_params["task_id"])
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
    task = await _task(visit, visit.reader, visit.request.path_params["task_id"])
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
    task = await _task(visit, visit.reader, visit.request.path_params["task_id"])
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
    page(f"{HOME}/live", cluster_live, Permission.READ_CLUSTERS),
]
