"""One cluster: what it is, why it is not in sync, and what can be done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.looks import with_last_look
from adapters.http.validation import validated_body
from adapters.http.web import pages, words
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import Form, faults_of, sentence
from adapters.http.web.visit import Visit
from application.clusters import (
    ApplyChanges,
    ChangeClusterSettings,
    CheckCluster,
    DeleteCluster,
    ForgetHostKey,
    InstallCluster,
)
from application.commands import Command
from application.permissions import Permission
from domain.cluster_settings import ClusterSettings
from domain.clusters import Cluster
from domain.model import NotFound, Recorded, Refusal
from domain.tasks import TaskQueued
from projections.cluster_detail import cluster as cluster_by_id
from projections.history import HistoryFilter, history_where
from projections.reader import Reader, Shown
from projections.tasks import task as task_by_id

OWN_RECORDS = ("Cluster", "ClusterSettings")
"""What a task does to a cluster is told of the cluster too, so its own record is not needed."""
LEAVING = ("delete", "deleting", "deleted")


@dataclass(frozen=True, slots=True)
class Why:
    """One sentence on why a cluster is not in sync, and where to go about it."""

    tone: str
    """way, wait or fault."""
    title: str
    detail: str = ""
    action: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Controls:
    """What can be asked for now; where a control is off, why."""

    install: bool
    apply: bool
    check: bool
    delete: bool
    check_off: str


@dataclass(frozen=True, slots=True)
class ClusterHead:
    """What stands at the head of each page of a cluster."""

    cluster: Shown
    task: Shown | None
    why: Why | None
    controls: Controls
    home: str


async def found(visit: Visit, reader: Reader | None = None) -> Shown:
    """The cluster that the address names. Raises NotFound."""
    cluster_id = visit.path_id("cluster_id")
    cluster = await cluster_by_id(reader or visit.reader, visit.workspace_id, cluster_id)
    if cluster is None:
        then = " then" if visit.at else ""
        raise NotFound(f"There is no cluster {cluster_id} in {visit.workspace['name']}{then}.")
    return cluster


async def head_of(visit: Visit, cluster: Shown, reader: Reader) -> ClusterHead:
    """The head, with the task that is at work."""
    task = None
    if cluster["task_id"] is not None:
        task = await task_by_id(reader, visit.workspace_id, UUID(cluster["task_id"]))
    home = f"{visit.home}/clusters/{cluster['id']}"
    return ClusterHead(cluster, task, why(visit, cluster, task, home), controls(cluster), home)


def why(visit: Visit, cluster: Shown, task: Shown | None, home: str) -> Why | None:
    """The sentence; none for a cluster that is in order."""
    if task is not None:
        return _at_work(visit, cluster, task, home)
    if cluster["archived_at"] is not None:
        return Why("idle", "Archived.", "Its configuration and history are kept; its name is free.")
    if cluster["render_errors"]:
        return _does_not_render(visit, cluster, home)
    if cluster["failure"]:
        log = visit.to(f"{home}/infrastructure")
        said = sentence(cluster["failure"])
        if cluster["status"] == "unknown":
            return Why("wait", "How it stands is not known.", said, "Read the log", log)
        title = words.INFRASTRUCTURE.get(cluster["status"], "Failed")
        return Why("fault", f"{title}.", said, "Read the log", log)
    if cluster["status"] == "new":
        return Why("idle", "Saved, not installed yet.", "Nothing is on the machines.")
    if cluster["status"] == "pending_changes":
        return _pending(visit, cluster, home)
    return None


def _at_work(visit: Visit, cluster: Shown, task: Shown, home: str) -> Why:
    kind = words.KINDS[task["kind"]]
    href = visit.to(f"{home}/infrastructure", task=task["id"])
    if cluster["status"] == "delete" and task["kind"] != "delete":
        detail = f"It begins when what runs is over: {kind.lower()}."
        return Why("way", "Deletion waits.", detail, "Watch", href)
    if task["status"] == "queued":
        return Why("way", f"{kind} waits", "for a manager to take it.", "Watch", href)
    plan = task["plan"] or []
    place = f", {plan.index(task['phase']) + 1} of {len(plan)}" if task["phase"] in plan else ""
    doing = f"Phase {task['phase']}{place}." if task["phase"] else ""
    return Why("way", f"{kind} runs.", doing, "Watch", href)


def _does_not_render(visit: Visit, cluster: Shown, home: str) -> Why:
    error = cluster["render_errors"][0]
    where = f"{error['section']}, line {error['line']}" if error["line"] else error["section"]
    more = len(cluster["render_errors"]) - 1
    detail = f"{where}: {sentence(error['detail'])}{f' And {more} more.' if more else ''}"
    href = visit.to(f"{home}/configuration")
    return Why("fault", "The configuration does not render.", detail, "Correct it", href)


def _pending(visit: Visit, cluster: Shown, home: str) -> Why:
    href = visit.to(f"{home}/configuration", show="diff")
    if cluster["rendering"] != cluster["applied_rendering"]:
        detail = "The machines have an earlier configuration than the one that is declared."
        return Why("wait", "Changes wait.", detail, "See what differs", href)
    detail = sentence(cluster["check_detail"] or "A check found something else than is declared")
    log = visit.to(f"{home}/infrastructure")
    return Why("wait", "Found otherwise than declared.", detail, "Read the check", log)


def controls(cluster: Shown) -> Controls:
    """What the domain would not refuse now."""
    rests = cluster["task_id"] is None and cluster["status"] not in LEAVING
    renders = bool(cluster["rendering"]) and not cluster["render_errors"]
    is_there = bool(cluster["applied_rendering"])
    off = ""
    if not is_there:
        off = "It is not installed yet."
    elif not rests:
        off = "A task is at work."
    elif not renders:
        off = "Its configuration does not render."
    return Controls(
        install=rests and renders and not is_there,
        apply=rests and renders and is_there and cluster["status"] != "in_sync",
        check=not off,
        delete=cluster["status"] not in LEAVING,
        check_off=off,
    )


async def overview(visit: Visit) -> Response:
    """What a cluster is, at one look."""
    cluster = await found(visit)
    return await pages.page(
        visit,
        "cluster/overview.html",
        subject=UUID(cluster["id"]),
        **await shown(visit, cluster, visit.reader),
    )


async def shown(visit: Visit, cluster: Shown, reader: Reader) -> dict[str, Any]:
    """What the overview says."""
    if visit.at is None:
        cluster = await with_last_look(visit.edge, cluster)
    where = HistoryFilter(subject_id=UUID(cluster["id"]), auditable_types=OWN_RECORDS)
    changes = await history_where(reader, where, limit=8)
    made = await history_where(reader, where, limit=1, oldest_first=True)
    return {
        "tab": "overview",
        "head": await head_of(visit, cluster, reader),
        "cluster": cluster,
        "changes": changes.rows,
        "made_by": made.rows[0]["user_name"] if made.rows else None,
    }


def doing(kind: type[Command], said: str, page: str = "/infrastructure") -> Callable[[Visit], Any]:
    """What a button of the head does: ask, and go where it can be watched."""

    async def do(visit: Visit) -> Response:
        cluster_id = visit.path_id("cluster_id")
        home = f"{visit.home}/clusters/{cluster_id}"
        form = await visit.form()
        fields = {"workspace_id": visit.workspace["id"], "cluster_id": str(cluster_id)}
        try:
            outcome = await visit.execute(validated_body(kind, fields), form.text("key"))
        except NotFound:
            raise
        except Refusal as refusal:
            return pages.done(visit, home, refusal.detail)
        return pages.done(visit, f"{home}{page}", said, outcome.position)

    do.__name__ = kind.__name__
    return do


async def delete(visit: Visit) -> Response:
    """What is lost, and the name to write."""
    return await _delete_page(visit, await found(visit))


async def destroy(visit: Visit) -> Response:
    """Delete it, when its name was written out."""
    cluster = await found(visit)
    form = await visit.form()
    if form.line("confirm") != cluster["name"]:
        return await _delete_page(visit, cluster, wrong=("That is not its name.",))
    command = DeleteCluster(
        workspace_id=visit.workspace_id,
        cluster_id=UUID(cluster["id"]),
        forget=form.text("how") == "forget",
    )
    try:
        outcome = await visit.execute(command, form.text("key"))
    except Refusal as refusal:
        return await _delete_page(visit, cluster, refusal=faults_of(refusal).but(()))
    _, left = await visit.edge.cache.load(Cluster, command.cluster_id)
    if isinstance(left, Cluster) and left.archived_at is not None:
        said = f"{cluster['name']} is in the archive."
        return pages.done(visit, f"{visit.home}/clusters", said, outcome.position)
    address = f"{visit.home}/clusters/{cluster['id']}/infrastructure"
    waits = isinstance(left, Cluster) and left.deletion is not None
    said = f"{cluster['name']} is deleted once what runs is over."
    return pages.done(
        visit, address, said if waits else f"Deleting {cluster['name']}.", outcome.position
    )


async def _delete_page(
    visit: Visit, cluster: Shown, wrong: tuple[str, ...] = (), refusal: list[str] | None = None
) -> Response:
    return await pages.page(
        visit,
        "cluster/delete.html",
        status=422 if wrong else 409 if refusal else 200,
        subject=UUID(cluster["id"]),
        tab="",
        head=await head_of(visit, cluster, visit.reader),
        cluster=cluster,
        wrong=wrong,
        refusal=refusal or [],
    )


async def forget_host_key(visit: Visit) -> Response:
    """A host has a new key: the next contact pins it."""
    cluster_id = visit.path_id("cluster_id")
    form = await visit.form()
    command = ForgetHostKey(
        workspace_id=visit.workspace_id,
        cluster_id=cluster_id,
        host=form.line("host"),
        port=form.number("port", 65_535) or 0,
    )
    outcome = await visit.execute(command)
    address = f"{visit.home}/clusters/{cluster_id}"
    said = f"The key of {command.host} is forgotten; the next contact pins the one it shows."
    return pages.done(visit, address, said, outcome.position)


def _changed_meanwhile(settings: Mapping[str, Any], form: Form) -> str:
    """What is told when somebody else has set since what is meant to be otherwise; else nothing."""
    now = {name: str(settings[name]) for name in ("change_mode", "check_interval")}
    if all(now[name] in (form.text(f"seen.{name}", now[name]), form.line(name)) for name in now):
        return ""
    return (
        "Nothing was set, for the settings were changed while you wrote:"
        f" {_settings_in_words(now)} now. You wrote:"
        f" {_settings_in_words({name: form.line(name) for name in now})}."
    )


def _settings_in_words(settings: Mapping[str, str]) -> str:
    mode = words.CHANGE_MODES.get(settings["change_mode"], settings["change_mode"])
    return f"{mode.lower()}, every {settings['check_interval'][:20]} min"


async def change_settings(visit: Visit) -> Response:
    """How changes are applied, and how often it is checked."""
    cluster_id = visit.path_id("cluster_id")
    form = await visit.form()
    interval = form.number("check_interval")
    fields = {
        "workspace_id": visit.workspace["id"],
        "cluster_id": str(cluster_id),
        "settings": {
            "change_mode": form.text("change_mode"),
            "check_interval": form.line("check_interval") if interval is None else interval,
        },
    }
    address = f"{visit.home}/clusters/{cluster_id}/configuration"
    if told := _changed_meanwhile((await found(visit))["settings"], form):
        return pages.done(visit, address, told)
    try:
        outcome = await visit.execute(validated_body(ChangeClusterSettings, fields))
    except NotFound:
        raise
    except Refusal as refusal:
        return pages.done(visit, address, " ".join(faults_of(refusal).but(())))
    return pages.done(visit, address, "Saved.", outcome.position)


class Concerned:
    """Knows which events are about one cluster: its own, its settings' and its tasks'."""

    def __init__(self, cluster_id: UUID, tasks: set[UUID]) -> None:
        self._streams = {cluster_id, ClusterSettings.id_of(cluster_id), *tasks}
        self._cluster_id = cluster_id

    def by(self, recorded: Recorded) -> bool:
        event = recorded.event
        if isinstance(event, TaskQueued) and event.cluster_id == self._cluster_id:
            self._streams.add(recorded.stream_id)
        return recorded.stream_id in self._streams


HOME = "/workspaces/{workspace}/clusters/{cluster_id}"
PAGES = [
    page(HOME, overview, Permission.READ_CLUSTERS),
    page(f"{HOME}/delete", delete, Permission.WRITE_CLUSTERS),
    act(f"{HOME}/delete", destroy, Permission.WRITE_CLUSTERS),
    act(f"{HOME}/install", doing(InstallCluster, "Installing."), Permission.WRITE_CLUSTERS),
    act(f"{HOME}/apply", doing(ApplyChanges, "Applying the changes."), Permission.WRITE_CLUSTERS),
    act(f"{HOME}/check", doing(CheckCluster, "Checking."), Permission.WRITE_CLUSTERS),
    act(f"{HOME}/forget-host-key", forget_host_key, Permission.WRITE_CLUSTERS),
    act(f"{HOME}/settings", change_settings, Permission.WRITE_CLUSTERS),
]
