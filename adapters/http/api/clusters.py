"""Clusters over the API, with the JSON that Commander's clients know."""

import re
from uuid import UUID

from starlette.types import ASGIApp

from adapters.http.api.shapes import clusters as shapes
from adapters.http.api.shapes import read_only
from adapters.http.api.shapes.tasks import Task
from adapters.http.api.tasks import queued
from adapters.http.calls import Call, found
from adapters.http.looks import with_last_look
from adapters.http.parameters import InWorkspace, Paging, Reading
from adapters.http.rendered import rendered_texts
from adapters.http.routing import Route, Takes, Within, changed, command, id_of, query
from application.clusters import (
    ApplyChanges,
    ChangeCluster,
    ChangeClusterSettings,
    CheckCluster,
    CreateCluster,
    DeleteCluster,
    ForgetHostKey,
    InstallCluster,
)
from application.commands import Outcome
from application.permissions import Permission
from domain.clusters import Cluster, ClusterStatus
from domain.secrets import MASK
from projections.cluster_detail import cluster
from projections.cluster_list import ClusterFilter, Sort, clusters_where
from projections.reader import Page, Reader, Shown

AT = "/api/v1/clusters"
WRITTEN = (
    "name",
    "values",
    "cluster_template_id",
    "cluster_template_version_id",
    "registry_id",
)
READ_ONLY = read_only(shapes.Cluster, *WRITTEN, "current_revision")
SECTIONS = {
    "cluster_configuration": ("cluster_configuration", "kubernetes"),
    "provider_specific_cluster_configuration": (
        "provider_specific_cluster_configuration",
        "placement",
    ),
    "resources": ("resources",),
}
"""Commander's word for a rendered text, and the names that a template's section of it may have."""
INITIAL_SECTIONS = {
    "init_configuration_rendered": ("init_configuration", "installation"),
    "init_resources_rendered": ("init_resources", "primary_resources"),
    "dhctl_configuration_rendered": ("dhctl_configuration", "ssh_parameters", "ssh"),
}
SECTION_REFERENCES = {"sections", "applied_sections", "secret_keys"}


class ClusterList(Reading, InWorkspace, Paging):
    without_archived: bool = False
    search: str = ""
    status: ClusterStatus | None = None
    cluster_template_id: UUID | None = None
    cluster_template_version_id: UUID | None = None
    sort: Sort = Sort.NAME
    descending: bool = False


class OneCluster(Reading, InWorkspace):
    """Where a cluster is read from and as of when."""


class Deletion(InWorkspace):
    forget: bool = False


async def list_clusters(call: Call) -> Page:
    """The clusters of a workspace; their values and rendered texts are at each one's address."""
    wanted = call.parameters
    where = ClusterFilter(
        workspace_id=call.workspace,
        text=wanted.search,
        statuses=[wanted.status] if wanted.status else [],
        template_id=wanted.cluster_template_id,
        template_version_id=wanted.cluster_template_version_id,
        without_archived=wanted.without_archived,
    )
    return await clusters_where(
        await call.reader(),
        where,
        sort=wanted.sort,
        descending=wanted.descending,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )


async def read_cluster(call: Call) -> Shown:
    """One cluster with its values and what is rendered of them."""
    return await _whole(call, await call.reader())


async def read_settings(call: Call) -> Shown:
    """How changes of a cluster are applied, and how often it is checked."""
    settings: Shown = (await _row(call, await call.reader(), call.path["cluster_id"]))["settings"]
    return settings


async def was_created(call: Call, outcome: Outcome) -> ASGIApp:
    id_ = id_of(outcome)
    reader = await call.reader_of(outcome)
    return changed(outcome, await _told(call, reader, id_), 201, f"{AT}/{id_}")


async def was_changed(call: Call, outcome: Outcome) -> ASGIApp:
    reader = await call.reader_of(outcome)
    return changed(outcome, await _whole(call, reader))


async def was_deleted(call: Call, outcome: Outcome) -> ASGIApp:
    """Deleting takes a task; what was never installed goes straight into the archive."""
    reader = await call.reader_of(outcome)
    shown = await _whole(call, reader)
    return changed(outcome, shown, 200 if shown["status"] == ClusterStatus.DELETED else 202)


async def settings_were_changed(call: Call, outcome: Outcome) -> ASGIApp:
    reader = await call.reader_of(outcome)
    row = await _row(call, reader, call.path["cluster_id"])
    return changed(outcome, row["settings"])


async def _whole(call: Call, reader: Reader) -> Shown:
    return await _told(call, reader, call.path["cluster_id"])


async def _row(call: Call, reader: Reader, id_: UUID) -> Shown:
    return found(await cluster(reader, call.workspace, id_), "cluster", id_)


async def _told(call: Call, reader: Reader, id_: UUID) -> Shown:
    row = await _row(call, reader, id_)
    if getattr(call.parameters, "at", None) is None:
        row = await with_last_look(call.edge, row)
    desired, applied = row["sections"], row["applied_sections"]
    texts = await rendered_texts(
        call.edge,
        id_,
        {
            **{f"desired {name}": reference for name, reference in desired.items()},
            **{f"applied {name}": reference for name, reference in applied.items()},
        },
    )
    wanted = {name: texts[f"desired {name}"] for name in desired}
    have = {name: texts[f"applied {name}"] for name in applied}
    return {
        **{name: value for name, value in row.items() if name not in SECTION_REFERENCES},
        "values": {**row["values"], **dict.fromkeys(row["secret_keys"], MASK)},
        **{name: _named(wanted, names) for name, names in INITIAL_SECTIONS.items()},
        **{f"desired_{name}_rendered": _named(wanted, names) for name, names in SECTIONS.items()},
        **{f"applied_{name}_rendered": _named(have, names) for name, names in SECTIONS.items()},
        "sections_rendered": wanted,
        "applied_sections_rendered": have,
    }


def _named(texts: dict[str, str], names: tuple[str, ...]) -> str | None:
    """The text of the section that is called so, however its name is spelt."""
    plain = {_snake(name): text for name, text in texts.items()}
    return next((plain[name] for name in names if name in plain), None)


def _snake(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


ROUTES: tuple[Route, ...] = (
    query(
        "/clusters",
        list_clusters,
        Permission.READ_CLUSTERS,
        shows=list[shapes.ClusterListed],
        within=Within.ONE,
        parameters=ClusterList,
    ),
    command(
        "POST",
        "/clusters",
        CreateCluster,
        was_created,
        shows=shapes.Cluster,
        statuses={201: "Created; nothing is installed yet."},
        within=Within.ONE,
        takes=Takes(command=CreateCluster, ignores=READ_ONLY | {"current_revision"}),
    ),
    query(
        "/clusters/{cluster_id}",
        read_cluster,
        Permission.READ_CLUSTERS,
        shows=shapes.Cluster,
        within=Within.ONE,
        of=Cluster,
        parameters=OneCluster,
        is_tagged=True,
    ),
    command(
        "PUT",
        "/clusters/{cluster_id}",
        ChangeCluster,
        was_changed,
        shows=shapes.Cluster,
        statuses={200: "Declared anew."},
        within=Within.ONE,
        of=Cluster,
        takes=Takes(
            command=ChangeCluster,
            ignores=READ_ONLY,
            requires=("current_revision",),
            is_guarded=True,
        ),
    ),
    command(
        "DELETE",
        "/clusters/{cluster_id}",
        DeleteCluster,
        was_deleted,
        shows=shapes.Cluster,
        statuses={200: "In the archive.", 202: "It will be: poll its status to `deleted`."},
        within=Within.ONE,
        of=Cluster,
        parameters=Deletion,
    ),
    *(
        command(
            "POST",
            f"/clusters/{{cluster_id}}/{word}",
            kind,
            queued,
            shows=Task,
            statuses={202: "A task was queued."},
            within=Within.ONE,
            of=Cluster,
        )
        for word, kind in (
            ("install", InstallCluster),
            ("apply", ApplyChanges),
            ("check", CheckCluster),
        )
    ),
    command(
        "POST",
        "/clusters/{cluster_id}/forget_host_key",
        ForgetHostKey,
        was_changed,
        shows=shapes.Cluster,
        statuses={200: "The next contact pins the host's key."},
        within=Within.ONE,
        of=Cluster,
    ),
    query(
        "/clusters/{cluster_id}/settings",
        read_settings,
        Permission.READ_CLUSTERS,
        shows=shapes.ClusterSettings,
        within=Within.ONE,
        of=Cluster,
        parameters=OneCluster,
    ),
    command(
        "PUT",
        "/clusters/{cluster_id}/settings",
        ChangeClusterSettings,
        settings_were_changed,
        shows=shapes.ClusterSettings,
        statuses={200: "Changed."},
        within=Within.ONE,
        of=Cluster,
        takes=Takes(
            command=ChangeClusterSettings,
            ignores=frozenset({"id"}),
            requires=("change_mode", "check_interval"),
            whole="settings",
        ),
    ),
)
