"""Commands on workspaces."""

import re
import secrets
import string
import unicodedata
from uuid import UUID

from application.commands import Command, Handlers
from application.permissions import Permission
from application.work import Work
from domain.model import Fault, Invalid
from domain.values import Name, Slug
from domain.workspaces import Workspace, WorkspaceSettings

handlers = Handlers()
RESERVED = frozenset({"new", "system", "audit", "tokens", "tasks"})


class CreateWorkspace(Command, permission=Permission.WRITE_WORKSPACES):
    """Make a workspace; without a slug one is made from the name."""

    name: Name
    slug: Slug | None = None
    settings: WorkspaceSettings = WorkspaceSettings()


class RenameWorkspace(Command, permission=Permission.WRITE_WORKSPACES):
    workspace_id: UUID
    name: Name


class ChangeWorkspaceSettings(Command, permission=Permission.WRITE_WORKSPACES):
    workspace_id: UUID
    settings: WorkspaceSettings


class ChangeWorkspace(Command, permission=Permission.WRITE_WORKSPACES):
    """Say its name and settings anew; what is left out stays as it is."""

    workspace_id: UUID
    name: Name | None = None
    settings: WorkspaceSettings | None = None


@handlers.register
async def create_workspace(command: CreateWorkspace, work: Work) -> UUID:
    if command.slug in RESERVED:
        raise Invalid([Fault(pointer="/slug", detail="Quarterdeck's own pages have this address.")])
    slug = command.slug or await _free_slug(work, command.name)
    workspace_id = work.new_id()
    work.claim(slug_key(slug), workspace_id)
    work.within(workspace_id, slug)
    await work.create(
        Workspace, workspace_id, Workspace.create(command.name, slug, command.settings)
    )
    return workspace_id


async def _free_slug(work: Work, name: str) -> str:
    """A slug like the name; where another has it, with five letters behind it."""
    slug = slug_of(name)
    if await work.world.store.holder(slug_key(slug)) is None:
        return slug
    return f"{slug[:34].rstrip('-')}-{_letters()}"


@handlers.register
async def rename_workspace(command: RenameWorkspace, work: Work) -> UUID:
    await enter(work, command.workspace_id)
    await work.change(Workspace, command.workspace_id, lambda w: w.rename(command.name))
    return command.workspace_id


@handlers.register
async def change_workspace_settings(command: ChangeWorkspaceSettings, work: Work) -> UUID:
    await enter(work, command.workspace_id)
    await work.change(
        Workspace, command.workspace_id, lambda w: w.change_settings(command.settings)
    )
    return command.workspace_id


@handlers.register
async def change_workspace(command: ChangeWorkspace, work: Work) -> UUID:
    await enter(work, command.workspace_id)
    if command.name is not None:
        name = command.name
        await work.change(Workspace, command.workspace_id, lambda w: w.rename(name))
    if command.settings is not None:
        settings = command.settings
        await work.change(Workspace, command.workspace_id, lambda w: w.change_settings(settings))
    return command.workspace_id


async def enter(work: Work, workspace_id: UUID) -> Workspace:
    """The workspace, named in the envelope of all that follows. Raises NotFound."""
    workspace = await work.get(Workspace, workspace_id)
    work.within(workspace_id, workspace.slug)
    return workspace


def slug_key(slug: str) -> str:
    return f"workspace:{slug}"


def slug_of(name: str) -> str:
    """A slug that resembles the name, or five letters when nothing of it can be one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    if re.fullmatch(r"[a-z][a-z0-9-]{1,39}", slug) and slug not in RESERVED:
        return slug
    return _letters()


def _letters() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
