"""A workspace is created, renamed, set otherwise, and deleted once."""

import pytest
from pydantic import ValidationError

from domain.model import Action, Audited
from domain.values import ChangeMode
from domain.workspaces import (
    Workspace,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceIsDeleted,
    WorkspaceRenamed,
    WorkspaceSettings,
    WorkspaceSettingsChanged,
)
from tests.support.scenario import given

BY_HAND = WorkspaceSettings(change_mode=ChangeMode.MANUAL)
created = WorkspaceCreated(name="Team A", slug="team-a")
renamed = WorkspaceRenamed(name="Team B", previous_name="Team A")
deleted = WorkspaceDeleted(name="Team A")


def test_a_workspace_begins_with_its_name_and_slug() -> None:
    given().when(Workspace.create, "Team A", "team-a", WorkspaceSettings()).then(created)


def test_a_workspace_applies_changes_at_once_and_checks_every_five_minutes_unless_told() -> None:
    given(created).leaves(
        Workspace, settings=WorkspaceSettings(change_mode=ChangeMode.AUTO, check_interval=5)
    )


def test_a_workspace_is_renamed_and_its_slug_stays() -> None:
    given(created).when(Workspace.rename, "Team B").then(renamed)
    given(created, renamed).leaves(Workspace, name="Team B", slug="team-a")


def test_a_workspace_that_has_the_name_already_is_not_renamed() -> None:
    given(created).when(Workspace.rename, "Team A").then_nothing()


def test_settings_change_as_a_whole() -> None:
    changed = WorkspaceSettingsChanged(settings=BY_HAND, previous=WorkspaceSettings())
    given(created).when(Workspace.change_settings, BY_HAND).then(changed)
    given(created, changed).leaves(Workspace, settings=BY_HAND)


def test_settings_that_are_so_already_do_not_change() -> None:
    given(created).when(Workspace.change_settings, WorkspaceSettings()).then_nothing()


def test_the_audit_of_settings_shows_only_what_differs() -> None:
    changed = WorkspaceSettingsChanged(settings=BY_HAND, previous=WorkspaceSettings())
    assert changed.audited() == Audited(
        auditable_type="Workspace",
        action=Action.UPDATE,
        audited_changes={"change_mode": ["auto", "manual"]},
    )


def test_the_audit_tells_of_installing_at_once_where_it_is_so_or_was() -> None:
    at_once = WorkspaceSettings(install_on_create=True)
    told = created.audited().audited_changes
    assert "install_on_create" not in told
    begun = WorkspaceCreated(name="Team A", slug="team-a", settings=at_once)
    assert begun.audited().audited_changes == {**told, "install_on_create": True}
    changed = WorkspaceSettingsChanged(settings=WorkspaceSettings(), previous=at_once)
    assert changed.audited().audited_changes == {"install_on_create": [True, False]}


def test_a_workspace_is_deleted_once() -> None:
    given(created).when(Workspace.delete).then(deleted)
    given(created, deleted).when(Workspace.delete).then_nothing()


def test_nothing_happens_any_more_in_a_deleted_workspace() -> None:
    given(created, deleted).when(Workspace.rename, "C").then_refused(WorkspaceIsDeleted, "Team A")
    given(created, deleted).when(Workspace.change_settings, BY_HAND).then_refused(
        WorkspaceIsDeleted
    )


@pytest.mark.parametrize(
    "slug", ["", "a", "A-team", "-team", "1team", "team_a", "team a", "t" * 41, "team\n", "tëam"]
)
def test_a_slug_is_a_lower_case_word_for_addresses(slug: str) -> None:
    with pytest.raises(ValidationError):
        WorkspaceCreated(name="Team", slug=slug)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00b", "a\x7fb", "\ud800", "n" * 101])
def test_a_name_is_one_line_of_one_to_a_hundred_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        WorkspaceCreated(name=name, slug="team")


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 10**30])
def test_a_check_interval_is_between_a_minute_and_a_week(minutes: int) -> None:
    with pytest.raises(ValidationError):
        WorkspaceSettings(check_interval=minutes)
