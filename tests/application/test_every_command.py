"""Every command against every role: who may do what, said here once more and in full."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.commands import Command, WorkspaceCommand
from application.permissions import Forbidden, Principal, Role
from application.work import Context
from domain.model import Actor, Refusal
from tests.application.in_memory import Hub
from tests.support.builders import any_of

HOME, ELSEWHERE = UUID(int=1), UUID(int=2)
PEOPLE = {Role.ADMINISTRATOR, Role.SYSTEM}
GLOBAL = PEOPLE | {Role.GLOBAL_TOKEN}
WORKSPACE = PEOPLE | {Role.WORKSPACE_TOKEN}
NOBODY_OUTSIDE = {Role.SYSTEM}
BOUND = {Role.WORKSPACE_TOKEN, Role.WORKSPACE_READER}

MAY: dict[str, set[Role]] = {
    "CreateWorkspace": GLOBAL,
    "RenameWorkspace": GLOBAL,
    "ChangeWorkspaceSettings": GLOBAL,
    "ChangeWorkspace": GLOBAL,
    "CreateAuthToken": PEOPLE,
    "RevokeAuthToken": PEOPLE,
    "UseSignInLink": PEOPLE,
    "SignOut": PEOPLE,
    "CreateClusterTemplate": WORKSPACE,
    "ChangeClusterTemplate": WORKSPACE,
    "WithdrawTemplateVersion": WORKSPACE,
    "ArchiveClusterTemplate": WORKSPACE,
    "CreateCluster": WORKSPACE,
    "ChangeCluster": WORKSPACE,
    "ChangeClusterSettings": WORKSPACE,
    "InstallCluster": WORKSPACE,
    "ApplyChanges": WORKSPACE,
    "CheckCluster": WORKSPACE,
    "DeleteCluster": WORKSPACE,
    "ForgetHostKey": WORKSPACE,
    "CancelTask": WORKSPACE,
    "IssueSignInLink": NOBODY_OUTSIDE,
    "ClaimTask": NOBODY_OUTSIDE,
    "StartPhase": NOBODY_OUTSIDE,
    "EndPhase": NOBODY_OUTSIDE,
    "BeginPhaseAnew": NOBODY_OUTSIDE,
    "PinHostKey": NOBODY_OUTSIDE,
    "SucceedTask": NOBODY_OUTSIDE,
    "FailTask": NOBODY_OUTSIDE,
    "EndCancelledTask": NOBODY_OUTSIDE,
    "LoseTask": NOBODY_OUTSIDE,
    "EraseDataKey": NOBODY_OUTSIDE,
    "AcceptEventLoss": NOBODY_OUTSIDE,
}
COMMANDS = sorted(Hub().bus.commands, key=lambda kind: kind.__name__)
some = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


def principal(role: Role, workspace_id: UUID = HOME) -> Principal:
    home = workspace_id if role in BOUND else None
    return Principal(Actor(type="AuthToken", id=UUID(int=9), name="someone"), role, home)


def in_workspace(command: Command, workspace_id: UUID) -> Command:
    known = "workspace_id" in type(command).model_fields
    return command.model_copy(update={"workspace_id": workspace_id}) if known else command


def test_every_command_is_in_the_table() -> None:
    assert {kind.__name__ for kind in COMMANDS} == set(MAY)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@some
@given(data=st.data())
async def test_a_role_may_do_what_the_table_says_and_nothing_else(
    kind: type[Command], role: Role, data: st.DataObject
) -> None:
    hub = Hub()
    command = in_workspace(data.draw(any_of(kind)), HOME)
    try:
        await hub.bus.execute(command, Context(principal(role)))
        was_allowed = True
    except Forbidden:
        was_allowed = False
        assert hub.events() == []
    except Refusal:
        was_allowed = True
    assert was_allowed == (role in MAY[kind.__name__])


@pytest.mark.parametrize("role", sorted(BOUND))
@pytest.mark.parametrize(
    "kind",
    [kind for kind in COMMANDS if issubclass(kind, WorkspaceCommand)],
    ids=lambda kind: kind.__name__,
)
@some
@given(data=st.data())
async def test_a_workspaces_token_does_nothing_in_another_workspace(
    kind: type[Command], role: Role, data: st.DataObject
) -> None:
    hub = Hub()
    command = in_workspace(data.draw(any_of(kind)), ELSEWHERE)
    with pytest.raises(Forbidden):
        await hub.bus.execute(command, Context(principal(role)))
    assert hub.events() == []


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_says_which_permission_it_needs(kind: type[Command]) -> None:
    assert kind.permission is not None
