"""A cluster's page as it changes: its head, the tab that is open, a log that grows, a clock."""

from collections.abc import Hashable
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.web import live, pages, words
from adapters.http.web.cluster import HOME, Concerned, found, head_of
from adapters.http.web.cluster import shown as overview_shown
from adapters.http.web.endpoints import page
from adapters.http.web.live import EVERYTHING, PULSE
from adapters.http.web.task_log import MAX_LINE, phase_of, shown_lines
from adapters.http.web.tasks import infrastructure_shown, task_called
from adapters.http.web.visit import Visit
from application.permissions import Permission
from domain.model import Recorded
from projections.reader import Reader, Shown
from projections.tasks import tasks_where

TASKS = 50
"""So many of a cluster's tasks, the newest, are watched from the start."""
LINES = 1_000
"""Lines of a log that one live message adds at most."""
PULSE_SECONDS = 0.25
BEAT = timedelta(seconds=1)
"""How often the time of a task that runs is told anew, when nothing else happens."""


async def show_live(visit: Visit) -> Response:
    """A cluster's page as it changes, whichever of its tabs it is."""
    cluster = await found(visit)
    tasks = await tasks_where(visit.reader, cluster_id=UUID(cluster["id"]), limit=TASKS)
    if visit.query("task"):
        await task_called(visit, visit.reader, visit.query("task"), cluster["id"])
    watch = ClusterWatch(visit, {UUID(task["id"]) for task in tasks.rows})
    return live.live(visit, watch, visit.number("position") or 0)


class ClusterWatch:
    """Any event of a cluster changes its head and the tab that is open; a log grows by itself."""

    def __init__(self, visit: Visit, tasks: set[UUID]) -> None:
        self._visit = visit
        self._tab = visit.query("tab")
        self._home = f"{visit.home}/clusters/{visit.path_id('cluster_id')}"
        self._about = Concerned(visit.path_id("cluster_id"), tasks)
        self._line = visit.number("line", MAX_LINE) or 0
        self._phase: str | None = None
        self._log_of = visit.query("task")
        self._is_running = True
        self._told_at = visit.now

    @property
    def pulse_seconds(self) -> float | None:
        return PULSE_SECONDS if self._tab == "infrastructure" and self._log_of else None

    def parts(self, recorded: Recorded) -> list[Hashable]:
        return ["cluster"] if self._about.by(recorded) else []

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        html = await self._log() if PULSE in parts else ""
        if parts & {"cluster", EVERYTHING}:
            return html + await self._cluster(reader)
        if self._is_running and self._visit.now - self._told_at >= BEAT:
            return html + await self._infrastructure(*await self._head(reader), reader)
        return html

    async def _head(self, reader: Reader) -> tuple[Shown, Any]:
        cluster = await found(self._visit, reader)
        return cluster, await head_of(self._visit, cluster, reader)

    async def _cluster(self, reader: Reader) -> str:
        visit = self._visit
        cluster, head = await self._head(reader)
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
        shown = await infrastructure_shown(visit, cluster, reader)
        html = pages.html(visit, "tasks/_task_list.html", head=head, **shown)
        fragments = {"#task-list": html}
        self._told_at = visit.now
        self._is_running = bool(shown["task"]) and shown["task"]["status"] == "running"
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


PAGES = [page(f"{HOME}/live", show_live, Permission.READ_CLUSTERS)]
