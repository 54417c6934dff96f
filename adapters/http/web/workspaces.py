"""The fleet: every workspace, what is not in order in it, and making another one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from adapters.http.authentication import context_of
from adapters.http.edge import Example
from adapters.http.problems import NoSuchPage
from adapters.http.validation import validated_body
from adapters.http.web import live, pages, words
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import Faults, Form, faults_of
from adapters.http.web.visit import Visit
from application.permissions import Permission
from application.workspaces import ChangeWorkspace, CreateWorkspace
from domain.model import Recorded, Refusal
from projections.activity import activity_between
from projections.cluster_list import ClusterFilter, Sort, clusters_where, count_by_workspace
from projections.history import HistoryFilter, history_where
from projections.reader import Reader, Shown
from projections.tasks import tasks_where
from projections.workspaces import workspace, workspaces_within

MOST_CAUSES = 12
MOST_TASKS = 8
MOST_READ = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """How a workspace stands: its clusters by status, and what was done last in it."""

    workspace: Shown
    counts: dict[str, int]
    last: Shown | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def in_sync(self) -> int:
        return self.counts.get("in_sync", 0)

    @property
    def urgent(self) -> int:
        return sum(self.counts.get(status, 0) for status in words.URGENT)

    @property
    def under_way(self) -> int:
        return sum(self.counts.get(status, 0) for status in words.UNDER_WAY)

    def share(self, number: int) -> float:
        return round(100 * number / self.total, 1) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Cause:
    """Clusters that are not in order for the same reason."""

    status: str
    reason: str
    clusters: tuple[Shown, ...]

    @property
    def since(self) -> str:
        return min(str(cluster["last_change_at"]) for cluster in self.clusters)


async def fleet(visit: Visit) -> Response:
    """Every workspace at one look."""
    shown = await _fleet(visit, visit.reader)
    if not shown["standings"]:
        first = await history_where(visit.reader, HistoryFilter(only_audited=True), limit=3)
        return await pages.page(visit, "workspaces/empty.html", log=first.rows[::-1])
    return await pages.page(visit, "workspaces/fleet.html", **shown)


async def fleet_live(visit: Visit) -> Response:
    """The fleet as it changes."""
    return live.live(visit, _FleetWatch(visit), visit.number("position") or 0)


class _FleetWatch:
    """Any change of a cluster or workspace changes the one table of the fleet."""

    pulse_seconds = None

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def parts(self, recorded: Recorded) -> list[str]:
        own = self._visit.principal.workspace_id
        if own is not None and recorded.metadata.workspace_id != own:
            return []
        kind = recorded.event.topic.partition(".")[0]
        return ["fleet"] if kind in ("cluster", "workspace", "task") else []

    async def show(self, _: frozenset[Any], reader: Reader) -> str:
        shown = await _fleet(self._visit, reader)
        html = pages.html(self._visit, "workspaces/_fleet.html", **shown)
        return live.partials({"#fleet": html})


async def _fleet(visit: Visit, reader: Reader) -> dict[str, Any]:
    own = visit.principal.workspace_id
    shown = await workspaces_within(reader, own)
    counts = await count_by_workspace(reader)
    standings = [
        Standing(each, counts.get(each["id"], {}), await _last_change(reader, each))
        for each in shown
    ]
    total: Counter[str] = Counter()
    for standing in standings:
        total.update(standing.counts)
    running = await tasks_where(
        reader, workspace_id=own, statuses=("queued", "running"), limit=MOST_TASKS
    )
    return {
        "standings": standings,
        "total": total,
        "slugs": {each["id"]: each["slug"] for each in shown},
        "causes": await _causes(reader, own),
        "tasks": running.rows,
        "today": await _changes_today(visit, reader),
    }


async def _last_change(reader: Reader, each: Shown) -> Shown | None:
    where = HistoryFilter(workspace_id=UUID(each["id"]), only_audited=True)
    return next(iter((await history_where(reader, where, limit=1)).rows), None)


async def _causes(reader: Reader, own: UUID | None) -> list[Cause]:
    """What is not in order, the most clusters first, those of one reason together."""
    where = ClusterFilter(workspace_id=own, statuses=words.URGENT, without_archived=True)
    found = await clusters_where(reader, where, sort=Sort.URGENCY, limit=MOST_READ)
    groups: dict[tuple[str, str], list[Shown]] = {}
    for cluster in found.rows:
        reason = cluster["last_change_detail"] or ""
        groups.setdefault((cluster["status"], reason), []).append(cluster)
    causes = [Cause(*key, tuple(clusters)) for key, clusters in groups.items()]
    causes.sort(key=lambda cause: (words.URGENT.index(cause.status), -len(cause.clusters)))
    return causes[:MOST_CAUSES]


async def _changes_today(visit: Visit, reader: Reader) -> int:
    moment = visit.at or visit.now
    midnight = moment.astimezone(visit.times.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    found = await activity_between(
        reader, midnight, moment, 86_400, workspace_id=visit.principal.workspace_id
    )
    return sum(row["changes"] for row in found)


async def new(visit: Visit) -> Response:
    return await _new(visit, Form(), Faults())


async def create(visit: Visit) -> Response:
    form = await visit.form()
    fields = {"name": form.line("name"), "settings": _asked(form, mode="auto")}
    if slug := form.line("slug"):
        fields["slug"] = slug
    try:
        outcome = await visit.execute(validated_body(CreateWorkspace, fields), form.text("key"))
    except Refusal as refusal:
        return await _new(visit, form, faults_of(refusal))
    found = await workspace(
        await visit.edge.reads.reader(after=outcome.position), UUID(str(outcome.result))
    )
    address = f"/workspaces/{found['slug']}/clusters" if found else "/"
    return pages.done(visit, address, f"{form.line('name')} is made.", outcome.position)


async def _new(visit: Visit, form: Form, faults: Faults) -> Response:
    status = 422 if faults else 200
    return await pages.page(visit, "workspaces/new.html", status=status, form=form, faults=faults)


async def enter(visit: Visit) -> Response:
    return RedirectResponse(visit.to(f"{visit.home}/clusters"), 303)


async def settings(visit: Visit) -> Response:
    """Name, how changes are applied, how often clusters are checked."""
    return await _settings(visit, Form(), Faults())


async def change(visit: Visit) -> Response:
    form = await visit.form()
    if changed := _changed_meanwhile(visit, form):
        return await _settings(visit, form, Faults(), changed)
    fields = {
        "workspace_id": visit.workspace["id"],
        "name": form.line("name"),
        "settings": _asked(form),
    }
    try:
        outcome = await visit.execute(validated_body(ChangeWorkspace, fields))
    except Refusal as refusal:
        return await _settings(visit, form, faults_of(refusal))
    return pages.done(visit, f"{visit.home}/settings", "Saved.", outcome.position)


def _shown_settings(visit: Visit) -> dict[str, str]:
    """The settings as the form's fields have them."""
    return {
        "name": visit.workspace["name"],
        "change_mode": visit.workspace["change_mode"],
        "check_interval": str(visit.workspace["check_interval"]),
        "install_on_create": "yes" if visit.workspace["install_on_create"] else "no",
    }


def _changed_meanwhile(visit: Visit, form: Form) -> dict[str, str]:
    """What somebody else has set since the form was shown, and what is meant to be otherwise."""
    return {
        field: now
        for field, now in _shown_settings(visit).items()
        if now not in (form.text(f"seen.{field}", now), form.line(field))
    }


async def _settings(
    visit: Visit, form: Form, faults: Faults, changed: Mapping[str, str] | None = None
) -> Response:
    where = HistoryFilter(subject_id=visit.workspace_id, only_audited=True)
    changes = await history_where(visit.reader, where, limit=10)
    return await pages.page(
        visit,
        "workspaces/settings.html",
        status=409 if changed else 422 if faults else 200,
        subject=visit.workspace_id,
        form=form,
        faults=faults,
        seen=_shown_settings(visit),
        changed=changed or {},
        changes=changes.rows,
    )


async def load_example(visit: Visit) -> Response:
    """Make the example's workspace, template and cluster, and go to it."""
    address = await _example(visit).load(context_of(visit.request, visit.principal))
    return pages.done(visit, address, "The example is loaded.", await visit.edge.log.head())


async def unload_example(visit: Visit) -> Response:
    """Forget the example's clusters, and end its host."""
    address = await _example(visit).unload(context_of(visit.request, visit.principal))
    return pages.done(visit, address, "The example is unloaded.", await visit.edge.log.head())


def _example(visit: Visit) -> Example:
    if visit.example is None:
        raise NoSuchPage("This server does not serve the example.")
    return visit.example


def _asked(form: Form, mode: str = "") -> dict[str, Any]:
    interval = form.number("check_interval")
    return {
        "change_mode": form.text("change_mode", mode),
        "check_interval": form.line("check_interval") if interval is None else interval,
        "install_on_create": form.text("install_on_create") == "yes",
    }


PAGES = [
    page("/", fleet, Permission.READ_WORKSPACES),
    page("/live", fleet_live, Permission.READ_WORKSPACES),
    page("/workspaces/new", new, Permission.WRITE_WORKSPACES),
    act("/workspaces", create, Permission.WRITE_WORKSPACES),
    act("/example", load_example, Permission.WRITE_WORKSPACES),
    act("/example/unload", unload_example, Permission.WRITE_WORKSPACES),
    page("/workspaces/{workspace}", enter, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/settings", settings, Permission.READ_CLUSTERS),
    act("/workspaces/{workspace}/settings", change, Permission.WRITE_WORKSPACES),
]
