"""What is shown of workspaces."""

from uuid import uuid4

from domain.values import ChangeMode
from domain.workspaces import (
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
)
from projections.workspaces import all_workspaces, workspace, workspace_called
from tests.projections.scenario import Scenario

ACME, OTHER = uuid4(), uuid4()
MANUAL = WorkspaceSettings(change_mode=ChangeMode.MANUAL, check_interval=15, install_on_create=True)


def created(name: str, slug: str) -> WorkspaceCreated:
    return WorkspaceCreated(name=name, slug=slug)


async def test_workspaces_are_listed_by_name(scene: Scenario) -> None:
    await scene.given(ACME, created("Production", "prod"))
    await scene.given(OTHER, created("Lab", "lab"))
    rows = await scene.shows(all_workspaces)
    assert [row["slug"] for row in rows] == ["lab", "prod"]
    assert [row["id"] for row in rows] == [str(OTHER), str(ACME)]


async def test_a_workspace_shows_its_newest_name_and_settings(scene: Scenario) -> None:
    await scene.given(
        ACME,
        created("Lab", "lab"),
        WorkspaceRenamed(name="Production", previous_name="Lab"),
        WorkspaceSettingsChanged(settings=MANUAL, previous=WorkspaceSettings()),
    )
    row = await scene.shows(workspace, ACME)
    assert row is not None
    assert (row["name"], row["change_mode"], row["check_interval"]) == ("Production", "manual", 15)
    assert row["install_on_create"] is True
    assert row["updated_at"] >= row["created_at"]


async def test_a_deleted_workspace_is_not_shown(scene: Scenario) -> None:
    await scene.given(ACME, created("Lab", "lab"), WorkspaceDeleted(name="Lab"))
    assert await scene.shows(workspace_called, "lab") is None
