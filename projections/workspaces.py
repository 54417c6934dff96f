"""The workspaces there are, with what their clusters do unless they say otherwise."""

from collections.abc import Iterator
from uuid import UUID

from domain.model import Recorded
from domain.workspaces import (
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
)
from projections.projection import Change, Projection, Table
from projections.reader import Reader, Shown

table = Table(
    "workspaces",
    {
        "workspace_id": "uuid",
        "slug": "text",
        "name": "text",
        "change_mode": "text",
        "check_interval": "integer",
        "install_on_create": "boolean",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
    },
    key=["workspace_id"],
    indexes=["(slug)", "(name)"],
)
workspaces = Projection("workspaces", 2, [table])


@workspaces.when
def created(event: WorkspaceCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id,
        slug=event.slug,
        name=event.name,
        change_mode=event.settings.change_mode,
        check_interval=event.settings.check_interval,
        install_on_create=event.settings.install_on_create,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
    )


@workspaces.when
def renamed(event: WorkspaceRenamed, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(recorded.stream_id, name=event.name, updated_at=recorded.recorded_at)


@workspaces.when
def settings_changed(event: WorkspaceSettingsChanged, recorded: Recorded) -> Iterator[Change]:
    settings: WorkspaceSettings = event.settings
    yield table.patch(
        recorded.stream_id,
        change_mode=settings.change_mode,
        check_interval=settings.check_interval,
        install_on_create=settings.install_on_create,
        updated_at=recorded.recorded_at,
    )


@workspaces.when
def deleted(_: WorkspaceDeleted, recorded: Recorded) -> Iterator[Change]:
    yield table.drop(recorded.stream_id)


SHOWN = """
    select workspace_id as id, slug, name, change_mode, check_interval, install_on_create,
           created_at, updated_at
    from workspaces
"""


async def all_workspaces(reader: Reader) -> list[Shown]:
    """Every workspace, by name."""
    return await reader.rows(f"{SHOWN} order by name, workspace_id")


async def workspaces_within(reader: Reader, workspace_id: UUID | None) -> list[Shown]:
    """What one who is held to a workspace sees: that one while it is there; for None, every one."""
    if workspace_id is None:
        return await all_workspaces(reader)
    found = await workspace(reader, workspace_id)
    return [found] if found else []


async def workspace(reader: Reader, workspace_id: UUID) -> Shown | None:
    """One workspace by its id."""
    return await reader.row(f"{SHOWN} where workspace_id = %(id)s", {"id": workspace_id})


async def workspace_called(reader: Reader, slug: str) -> Shown | None:
    """One workspace by its slug."""
    return await reader.row(f"{SHOWN} where slug = %(slug)s", {"slug": slug})
