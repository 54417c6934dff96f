"""Workspaces over the API: listed, made, read and changed by global tokens."""

from typing import Any
from uuid import UUID

from starlette.types import ASGIApp

from adapters.http.api.shapes import read_only
from adapters.http.api.shapes import workspaces as shapes
from adapters.http.calls import Call, found
from adapters.http.routing import Route, Takes, changed, command, id_of, query
from application.commands import Outcome
from application.permissions import Permission
from application.workspaces import ChangeWorkspace, CreateWorkspace
from domain.workspaces import Workspace, WorkspaceSettings
from projections.reader import Shown, rfc3339
from projections.workspaces import all_workspaces, workspace

READ_ONLY = read_only(shapes.Workspace, "name", "settings")


async def list_workspaces(call: Call) -> list[Shown]:
    """Every workspace, by name."""
    return [_shown(row) for row in await all_workspaces(await call.reader())]


async def read_workspace(call: Call) -> Shown:
    """One workspace."""
    id_ = call.path["workspace_id"]
    row = await workspace(await call.reader(), id_)
    return _shown(found(row, "workspace", id_))


async def was_created(call: Call, outcome: Outcome) -> ASGIApp:
    id_ = id_of(outcome)
    return changed(outcome, await _written(call, id_, outcome), 201, f"/api/v1/workspaces/{id_}")


async def was_changed(call: Call, outcome: Outcome) -> ASGIApp:
    return changed(outcome, await _written(call, id_of(outcome), outcome))


async def _written(call: Call, id_: UUID, outcome: Outcome) -> dict[str, Any]:
    """The workspace from the log itself: no read model need have come so far."""
    version, state = await call.edge.cache.load(Workspace, id_)
    assert isinstance(state, Workspace)
    if outcome.recorded_at is not None and version == 1:
        created_at = updated_at = outcome.recorded_at
    else:
        events = await call.edge.log.load(id_)
        created_at, updated_at = events[0].recorded_at, events[-1].recorded_at
    return {
        "id": id_,
        "name": state.name,
        "slug": state.slug,
        "settings": state.settings.model_dump(mode="json"),
        "created_at": rfc3339(created_at),
        "updated_at": rfc3339(updated_at),
    }


def _shown(row: Shown) -> Shown:
    settings = {name: row[name] for name in WorkspaceSettings.model_fields}
    rest = {name: value for name, value in row.items() if name not in settings}
    return {**rest, "settings": settings}


ROUTES: tuple[Route, ...] = (
    query(
        "/workspaces",
        list_workspaces,
        Permission.READ_WORKSPACES,
        shows=list[shapes.Workspace],
    ),
    command(
        "POST",
        "/workspaces",
        CreateWorkspace,
        was_created,
        shows=shapes.Workspace,
        statuses={201: "Created."},
        takes=Takes(command=CreateWorkspace, ignores=READ_ONLY - {"slug"}),
    ),
    query(
        "/workspaces/{workspace_id}",
        read_workspace,
        Permission.READ_WORKSPACES,
        shows=shapes.Workspace,
        is_tagged=True,
    ),
    command(
        "PUT",
        "/workspaces/{workspace_id}",
        ChangeWorkspace,
        was_changed,
        shows=shapes.Workspace,
        statuses={200: "Changed."},
        takes=Takes(command=ChangeWorkspace, ignores=READ_ONLY),
    ),
)
