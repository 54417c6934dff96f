"""Workspaces are made under a slug of their own, renamed, and set otherwise."""

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.workspaces import (
    RESERVED,
    ChangeWorkspace,
    ChangeWorkspaceSettings,
    CreateWorkspace,
    RenameWorkspace,
    slug_of,
)
from domain.model import Invalid, NotFound, Taken
from domain.values import ChangeMode
from domain.workspaces import (
    Workspace,
    WorkspaceCreated,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
)
from tests.application.in_memory import Hub

BY_HAND = WorkspaceSettings(change_mode=ChangeMode.MANUAL, check_interval=10)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Team A", "team-a"),
        ("Überflieger & Söhne", "uberflieger-sohne"),
        ("  A -- B  ", "a-b"),
        ("n" * 100, "n" * 40),
        (f"{'n' * 39} tail", "n" * 39),
    ],
)
def test_a_slug_resembles_the_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["Команда", "1", "!", "Audit", "new", "7 dwarfs"])
def test_a_name_that_gives_no_slug_gets_five_letters(name: str) -> None:
    slug = slug_of(name)
    assert len(slug) == 5
    assert slug.isalpha()


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=100))
def test_every_name_gives_a_slug(name: str) -> None:
    WorkspaceCreated(name="Team", slug=slug_of(name))


async def test_a_workspace_is_made_with_a_slug_from_its_name(hub: Hub) -> None:
    workspace_id = await hub.do(CreateWorkspace(name="Team A", settings=BY_HAND))
    assert hub.events() == [WorkspaceCreated(name="Team A", slug="team-a", settings=BY_HAND)]
    assert hub.store.claims == {"workspace:team-a": workspace_id}


async def test_two_workspaces_do_not_share_a_slug(hub: Hub) -> None:
    await hub.workspace("team-a")
    with pytest.raises(Taken):
        await hub.do(CreateWorkspace(name="Team A", slug="team-a"))
    assert len(hub.events()) == 1


async def test_a_slug_that_nobody_asked_for_makes_way(hub: Hub) -> None:
    await hub.workspace("team-a")
    await hub.do(CreateWorkspace(name="Team A"))
    slugs = [event.slug for event in hub.events() if isinstance(event, WorkspaceCreated)]
    assert slugs[0] == "team-a"
    assert slugs[1].startswith("team-a-")


@pytest.mark.parametrize("slug", sorted(RESERVED))
async def test_the_addresses_of_our_own_pages_are_no_slugs(hub: Hub, slug: str) -> None:
    with pytest.raises(Invalid) as invalid:
        await hub.do(CreateWorkspace(name="Team", slug=slug))
    assert invalid.value.faults[0].pointer == "/slug"


async def test_a_workspace_is_changed_in_part_or_as_one(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    await hub.do(RenameWorkspace(workspace_id=workspace_id, name="B"))
    await hub.do(ChangeWorkspaceSettings(workspace_id=workspace_id, settings=BY_HAND))
    await hub.do(ChangeWorkspace(workspace_id=workspace_id, name="C", settings=WorkspaceSettings()))
    await hub.do(ChangeWorkspace(workspace_id=workspace_id))
    assert [type(e) for e in hub.events(after=1)] == [
        WorkspaceRenamed,
        WorkspaceSettingsChanged,
        WorkspaceRenamed,
        WorkspaceSettingsChanged,
    ]
    workspace = await hub.state(Workspace, workspace_id)
    assert (workspace.name, workspace.settings) == ("C", WorkspaceSettings())
    assert {r.metadata.workspace for r in hub.store.records} == {"team-a"}


async def test_a_workspace_that_is_not_there_is_not_found(hub: Hub) -> None:
    for command in (
        RenameWorkspace(workspace_id=uuid4(), name="B"),
        ChangeWorkspaceSettings(workspace_id=uuid4(), settings=BY_HAND),
        ChangeWorkspace(workspace_id=uuid4(), name="B"),
    ):
        with pytest.raises(NotFound):
            await hub.do(command)
