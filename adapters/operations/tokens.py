"""Make tokens and sign-in links from the command line."""

from adapters.operations.administration import administration, workspace_of
from adapters.settings import Settings
from application.auth_tokens import CreateAuthToken
from application.sign_in import IssueSignInLink
from application.work import of_its_own_accord


async def create_token(
    settings: Settings, name: str, workspace: str | None, *, read_only: bool
) -> str:
    """A new token, global when no workspace is named; this is the only time it is seen."""
    async with administration(settings, begins=True) as hub:
        workspace_id = await workspace_of(hub, workspace) if workspace else None
        command = CreateAuthToken(name=name, workspace_id=workspace_id, read_only=read_only)
        outcome = await hub.bus.execute(command, of_its_own_accord())
        return str(outcome.result.token)


async def sign_in_link(settings: Settings, name: str) -> str:
    """A link that signs this user in once."""
    async with administration(settings, begins=True) as hub:
        outcome = await hub.bus.execute(IssueSignInLink(user_name=name), of_its_own_accord())
        return f"{settings.url}/sign-in?link={outcome.result}"
