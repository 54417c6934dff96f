"""Commands on cluster templates: every edit of what is rendered is a new version."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from application.commands import Handlers, WorkspaceCommand
from application.permissions import Permission
from application.work import Work
from application.workspaces import enter
from domain.cluster_templates import MAX_SECTIONS, ClusterTemplate, Section
from domain.input_parameters import parse_parameters
from domain.model import Fault, Invalid, NotFound, Value
from domain.values import Comment, Name

handlers = Handlers()
MAX_SOURCE = 256 * 1024


class SectionText(Value):
    """A section as its author writes it; the source is at most 256 KiB."""

    name: Name
    format: Literal["yaml", "text"] = "yaml"
    source: str = Field(max_length=MAX_SOURCE)


Sections = Annotated[tuple[SectionText, ...], Field(max_length=MAX_SECTIONS)]


class CreateClusterTemplate(WorkspaceCommand, permission=Permission.WRITE_TEMPLATES):
    name: Name
    comment: Comment = ""
    version_comment: Comment = ""
    params: tuple[dict[str, Any], ...] = ()
    sections: Sections = ()


class ChangeClusterTemplate(WorkspaceCommand, permission=Permission.WRITE_TEMPLATES):
    """Say the whole template anew; what is left out stays as it is."""

    cluster_template_id: UUID
    current_revision: int | None = None
    name: Name | None = None
    comment: Comment | None = None
    version_comment: Comment = ""
    params: tuple[dict[str, Any], ...] | None = None
    sections: Sections | None = None


class WithdrawTemplateVersion(WorkspaceCommand, permission=Permission.WRITE_TEMPLATES):
    cluster_template_id: UUID
    version_id: UUID
    withdrawn: bool = True


class ArchiveClusterTemplate(WorkspaceCommand, permission=Permission.WRITE_TEMPLATES):
    cluster_template_id: UUID


@handlers.register
async def create_cluster_template(command: CreateClusterTemplate, work: Work) -> UUID:
    await enter(work, command.workspace_id)
    parse_parameters(list(command.params))
    template_id = work.new_id()
    work.claim(template_name_key(command.workspace_id, command.name), template_id)
    begun = ClusterTemplate.create(command.workspace_id, command.name, command.comment)
    await work.create(ClusterTemplate, template_id, begun)
    sections = await _kept(command.sections, work)
    await _add_version(template_id, command.version_comment, command.params, sections, work)
    return template_id


@handlers.register
async def change_cluster_template(command: ChangeClusterTemplate, work: Work) -> UUID:
    template = await template_of(work, command.workspace_id, command.cluster_template_id)
    template.must_be_at(command.current_revision)
    await _rename(command, template, work)
    if command.params is None and command.sections is None:
        return command.cluster_template_id
    current = template.current
    params = current.params if command.params is None and current else command.params or ()
    parse_parameters(list(params))
    sections = current.sections if current else ()
    if command.sections is not None:
        sections = await _kept(command.sections, work)
    await _add_version(command.cluster_template_id, command.version_comment, params, sections, work)
    return command.cluster_template_id


@handlers.register
async def withdraw_template_version(command: WithdrawTemplateVersion, work: Work) -> UUID:
    await template_of(work, command.workspace_id, command.cluster_template_id)
    await work.change(
        ClusterTemplate,
        command.cluster_template_id,
        lambda t: t.withdraw_version(command.version_id, withdrawn=command.withdrawn),
    )
    return command.cluster_template_id


@handlers.register
async def archive_cluster_template(command: ArchiveClusterTemplate, work: Work) -> UUID:
    template = await template_of(work, command.workspace_id, command.cluster_template_id)
    if not template.is_archived:
        work.release(template_name_key(command.workspace_id, template.name))
    await work.change(
        ClusterTemplate,
        command.cluster_template_id,
        lambda t: t.archive(work.now, archive_number(work.now)),
    )
    return command.cluster_template_id


async def template_of(work: Work, workspace_id: UUID, template_id: UUID) -> ClusterTemplate:
    """The template, if it is of this workspace. Raises NotFound."""
    await enter(work, workspace_id)
    template = await work.get(ClusterTemplate, template_id)
    if template.workspace_id != workspace_id:
        raise NotFound(f"There is no cluster template {template_id}.")
    return template


def archive_number(now: datetime) -> str:
    """A number that sorts by the time of archiving, so that a name may be archived many times."""
    return now.strftime("%Y%m%d%H%M%S%f")


async def _rename(command: ChangeClusterTemplate, template: ClusterTemplate, work: Work) -> None:
    name = template.name if command.name is None else command.name
    comment = template.comment if command.comment is None else command.comment
    if name != template.name:
        work.release(template_name_key(command.workspace_id, template.name))
        work.claim(template_name_key(command.workspace_id, name), command.cluster_template_id)
    await work.change(
        ClusterTemplate, command.cluster_template_id, lambda t: t.change(name, comment)
    )


async def _add_version(
    template_id: UUID,
    comment: str,
    params: tuple[dict[str, Any], ...],
    sections: tuple[Section, ...],
    work: Work,
) -> None:
    version_id = work.new_id()
    template = await work.change(
        ClusterTemplate,
        template_id,
        lambda t: t.add_version(version_id, comment, params, sections),
    )
    if template.current is not None and template.current.id == version_id:
        work.claim(version_key(version_id), template_id)


async def _kept(sections: tuple[SectionText, ...], work: Work) -> tuple[Section, ...]:
    names = [section.name for section in sections]
    twice = [
        Fault(pointer=f"/sections/{n}/name", detail=f"Section {name} is there twice.")
        for n, name in enumerate(names)
        if name in names[:n]
    ]
    if twice:
        raise Invalid(twice)
    return tuple(
        [
            Section(name=s.name, format=s.format, source=await work.document(s.source))
            for s in sections
        ]
    )


def version_key(version_id: UUID) -> str:
    """The claim by which a version's template is found."""
    return f"cluster_template_version:{version_id}"


def template_name_key(workspace_id: UUID, name: str) -> str:
    return f"cluster_template:{workspace_id}:{name.casefold()}"
