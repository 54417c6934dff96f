"""Cluster templates over the API: a whole template goes in and comes out, versions add up."""

import asyncio
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from adapters.http.api.shapes import cluster_templates as shapes
from adapters.http.api.shapes import read_only
from adapters.http.calls import Call, found
from adapters.http.parameters import InWorkspace, Reading
from adapters.http.routing import Route, Takes, Within, changed, command, id_of, query
from application.cluster_templates import (
    ArchiveClusterTemplate,
    ChangeClusterTemplate,
    CreateClusterTemplate,
    WithdrawTemplateVersion,
)
from application.commands import Outcome
from application.permissions import Permission
from domain.cluster_templates import ClusterTemplate
from domain.values import DocumentRef
from projections.cluster_templates import template, templates_of
from projections.reader import Reader, Shown

AT = "/api/v1/cluster_templates"
READ_ONLY = read_only(
    shapes.ClusterTemplate, "name", "comment", "params", "sections", "current_revision"
)


class TemplateList(Reading, InWorkspace):
    without_archived: bool = False


class OneTemplate(Reading, InWorkspace):
    """Where a template is read from and as of when."""


async def list_templates(call: Call) -> list[Shown]:
    """The templates of a workspace with their versions, by name."""
    listed = await templates_of(
        await call.reader(),
        call.workspace,
        without_archived=call.parameters.without_archived,
    )
    return [_listed(row) for row in listed]


async def read_template(call: Call) -> Shown:
    """One template, with the text of its newest version."""
    return await _whole(call, await call.reader(), call.path["cluster_template_id"])


async def list_versions(call: Call) -> list[Shown]:
    """The versions of a template, oldest first."""
    row = await _row(call, await call.reader(), call.path["cluster_template_id"])
    versions: list[Shown] = _listed(row)["cluster_template_versions"]
    return versions


async def read_version(call: Call) -> Shown:
    """One version of a template, with the text of its sections."""
    row = await _row(call, await call.reader(), call.path["cluster_template_id"])
    version_id = call.path["version_id"]
    versions = [v for v in row["cluster_template_versions"] if v["id"] == str(version_id)]
    version = found(versions[0] if versions else None, "version", version_id)
    return {**version, "sections": await _texts(call, version["sections"])}


async def was_created(call: Call, outcome: Outcome) -> ASGIApp:
    id_ = id_of(outcome)
    return changed(outcome, await _written(call, id_, outcome), 201, f"{AT}/{id_}")


async def was_changed(call: Call, outcome: Outcome) -> ASGIApp:
    return changed(outcome, await _written(call, id_of(outcome), outcome))


async def _written(call: Call, id_: UUID, outcome: Outcome) -> Shown:
    reader = await call.reader_of(outcome)
    return await _whole(call, reader, id_)


async def _row(call: Call, reader: Reader, id_: UUID) -> Shown:
    return found(await template(reader, call.workspace, id_), "cluster template", id_)


async def _whole(call: Call, reader: Reader, id_: UUID) -> Shown:
    row = await _row(call, reader, id_)
    newest: dict[str, Any] = next(
        (
            version
            for version in row["cluster_template_versions"]
            if version["id"] == row["current_cluster_template_version_id"]
        ),
        {"params": [], "sections": []},
    )
    return {
        **_listed(row),
        "params": newest["params"],
        "sections": await _texts(call, newest["sections"]),
    }


def _listed(row: Shown) -> Shown:
    versions = [
        {**version, "sections": [_reference(section) for section in version["sections"]]}
        for version in row["cluster_template_versions"]
    ]
    return {**row, "cluster_template_versions": versions}


def _reference(section: dict[str, Any]) -> dict[str, Any]:
    source = section["source"]
    return {
        "name": section["name"],
        "format": section["format"],
        "size": source["size"],
        "digest": source["digest"],
    }


async def _texts(call: Call, sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    references = [DocumentRef.model_validate(section["source"]) for section in sections]
    texts = await asyncio.gather(*(call.edge.documents.read(ref) for ref in references))
    return [
        {"name": section["name"], "format": section["format"], "source": text}
        for section, text in zip(sections, texts, strict=True)
    ]


ROUTES: tuple[Route, ...] = (
    query(
        "/cluster_templates",
        list_templates,
        Permission.READ_TEMPLATES,
        shows=list[shapes.ClusterTemplateListed],
        within=Within.ONE,
        parameters=TemplateList,
    ),
    command(
        "POST",
        "/cluster_templates",
        CreateClusterTemplate,
        was_created,
        shows=shapes.ClusterTemplate,
        statuses={201: "Created."},
        within=Within.ONE,
        takes=Takes(command=CreateClusterTemplate, ignores=READ_ONLY | {"current_revision"}),
    ),
    query(
        "/cluster_templates/{cluster_template_id}",
        read_template,
        Permission.READ_TEMPLATES,
        shows=shapes.ClusterTemplate,
        within=Within.ONE,
        of=ClusterTemplate,
        parameters=OneTemplate,
        is_tagged=True,
    ),
    command(
        "PUT",
        "/cluster_templates/{cluster_template_id}",
        ChangeClusterTemplate,
        was_changed,
        shows=shapes.ClusterTemplate,
        statuses={200: "Changed."},
        within=Within.ONE,
        of=ClusterTemplate,
        takes=Takes(command=ChangeClusterTemplate, ignores=READ_ONLY, is_guarded=True),
    ),
    command(
        "DELETE",
        "/cluster_templates/{cluster_template_id}",
        ArchiveClusterTemplate,
        was_changed,
        shows=shapes.ClusterTemplate,
        statuses={200: "Archived."},
        within=Within.ONE,
        of=ClusterTemplate,
    ),
    query(
        "/cluster_templates/{cluster_template_id}/versions",
        list_versions,
        Permission.READ_TEMPLATES,
        shows=list[shapes.TemplateVersion],
        within=Within.ONE,
        of=ClusterTemplate,
        parameters=OneTemplate,
    ),
    query(
        "/cluster_templates/{cluster_template_id}/versions/{version_id}",
        read_version,
        Permission.READ_TEMPLATES,
        shows=shapes.TemplateVersionText,
        within=Within.ONE,
        of=ClusterTemplate,
        parameters=OneTemplate,
    ),
    command(
        "POST",
        "/cluster_templates/{cluster_template_id}/versions/{version_id}/withdraw",
        WithdrawTemplateVersion,
        was_changed,
        shows=shapes.ClusterTemplate,
        statuses={200: "Withdrawn, or usable again."},
        within=Within.ONE,
        of=ClusterTemplate,
    ),
)
