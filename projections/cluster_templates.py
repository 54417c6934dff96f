"""The cluster templates of a workspace, each with all its versions and their parameters."""

from collections.abc import Iterator
from uuid import UUID

from domain.cluster_templates import (
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateCreated,
    ClusterTemplateVersionAdded,
    ClusterTemplateVersionWithdrawn,
)
from domain.model import Recorded
from projections.projection import Change, Projection, Row, Table
from projections.reader import Reader, Shown

templates = Table(
    "cluster_templates",
    {
        "template_id": "uuid",
        "workspace_id": "uuid",
        "name": "text",
        "comment": "text",
        "current_revision": "bigint",
        "current_version_id": "uuid",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "archived_at": "timestamptz",
        "archive_number": "text",
    },
    key=["template_id"],
    indexes=["(workspace_id, name)"],
)
versions = Table(
    "cluster_template_versions",
    {
        "version_id": "uuid",
        "template_id": "uuid",
        "number": "integer",
        "comment": "text",
        "params": "jsonb",
        "sections": "jsonb",
        "is_withdrawn": "boolean",
        "created_at": "timestamptz",
        "created_by": "text",
    },
    key=["version_id"],
    indexes=["(template_id, number)"],
)
cluster_templates = Projection("cluster_templates", 1, [templates, versions])


@cluster_templates.when
def created(event: ClusterTemplateCreated, recorded: Recorded) -> Iterator[Change]:
    yield templates.put(
        recorded.stream_id,
        workspace_id=event.workspace_id,
        name=event.name,
        comment=event.comment,
        created_at=recorded.recorded_at,
        **_revision(recorded),
    )


@cluster_templates.when
def changed(event: ClusterTemplateChanged, recorded: Recorded) -> Iterator[Change]:
    yield templates.patch(
        recorded.stream_id, name=event.name, comment=event.comment, **_revision(recorded)
    )


@cluster_templates.when
def version_added(event: ClusterTemplateVersionAdded, recorded: Recorded) -> Iterator[Change]:
    yield templates.patch(
        recorded.stream_id, current_version_id=event.version_id, **_revision(recorded)
    )
    yield versions.put(
        event.version_id,
        template_id=recorded.stream_id,
        number=event.number,
        comment=event.comment,
        params=list(event.params),
        sections=[section.model_dump(mode="json") for section in event.sections],
        is_withdrawn=False,
        created_at=recorded.recorded_at,
        created_by=recorded.metadata.actor.name,
    )


@cluster_templates.when
def withdrawn(event: ClusterTemplateVersionWithdrawn, recorded: Recorded) -> Iterator[Change]:
    yield templates.patch(recorded.stream_id, **_revision(recorded))
    yield versions.patch(event.version_id, is_withdrawn=event.withdrawn)


@cluster_templates.when
def archived(event: ClusterTemplateArchived, recorded: Recorded) -> Iterator[Change]:
    yield templates.patch(
        recorded.stream_id,
        archived_at=event.archived_at,
        archive_number=event.archive_number,
        **_revision(recorded),
    )


def _revision(recorded: Recorded) -> Row:
    """Each event of a template is a revision of it."""
    return {"current_revision": recorded.version, "updated_at": recorded.recorded_at}


SHOWN = """
    select t.template_id as id, t.workspace_id, t.name, t.comment, t.current_revision,
           false as immutable, t.current_version_id as current_cluster_template_version_id,
           coalesce(v.versions, '[]') as cluster_template_versions,
           t.created_at, t.updated_at, t.archived_at, t.archive_number
    from cluster_templates t
    left join lateral (
        select jsonb_agg(jsonb_build_object(
                   'id', version_id, 'cluster_template_id', template_id, 'name', t.name,
                   'comment', comment, 'version', number::text, 'params', params,
                   'sections', sections, 'is_withdrawn', is_withdrawn, 'created_by', created_by,
                   'created_at', to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               ) order by number) as versions
        from cluster_template_versions where template_id = t.template_id
    ) v on true
"""
"""A template as JSON; `sections` of a version are references to documents."""


async def templates_of(
    reader: Reader, workspace_id: UUID, *, without_archived: bool = False
) -> list[Shown]:
    """The templates of a workspace, by name."""
    return await reader.rows(
        f"{SHOWN} where t.workspace_id = %(workspace_id)s"
        " and (not %(without_archived)s or t.archived_at is null) order by t.name, t.template_id",
        {"workspace_id": workspace_id, "without_archived": without_archived},
    )


async def template(reader: Reader, workspace_id: UUID, template_id: UUID) -> Shown | None:
    """One template with its versions; None when it is of another workspace."""
    return await reader.row(
        f"{SHOWN} where t.template_id = %(id)s and t.workspace_id = %(workspace_id)s",
        {"id": template_id, "workspace_id": workspace_id},
    )


async def template_of_version(reader: Reader, workspace_id: UUID, version_id: UUID) -> Shown | None:
    """The template that a version belongs to: clients name only the version."""
    return await reader.row(
        f"{SHOWN} where t.workspace_id = %(workspace_id)s and t.template_id ="
        " (select template_id from cluster_template_versions where version_id = %(version_id)s)",
        {"workspace_id": workspace_id, "version_id": version_id},
    )
