"""Commands on auth tokens, and how a token becomes a principal."""

from datetime import datetime
from uuid import UUID

from application.commands import Command, Handlers, ShownOnce
from application.credentials import Credential, held_by
from application.permissions import Permission, Principal, Role
from application.state_cache import StateCache
from application.work import Work
from application.workspaces import enter
from domain.auth_tokens import AuthToken
from domain.instants import Instant
from domain.model import Actor
from domain.values import Name

handlers = Handlers()
PREFIX = "qdt"


class CreateAuthToken(Command, permission=Permission.WRITE_TOKENS):
    """Make a token: for one workspace, or global when none is named."""

    name: Name
    workspace_id: UUID | None = None
    read_only: bool = False
    expires_at: Instant | None = None


class RevokeAuthToken(Command, permission=Permission.WRITE_TOKENS):
    auth_token_id: UUID


class NewAuthToken(ShownOnce):
    """The only time that a token is seen; `token` is None when the command is repeated."""

    id: UUID
    token: str | None

    def without_word(self) -> "NewAuthToken":
        return self.model_copy(update={"token": None})


@handlers.register
async def create_auth_token(command: CreateAuthToken, work: Work) -> NewAuthToken:
    if command.workspace_id is not None:
        await enter(work, command.workspace_id)
    credential = Credential.make(work.new_id())
    token = credential.write(PREFIX)
    await work.create(
        AuthToken,
        credential.id,
        AuthToken.create(
            command.name,
            workspace_id=command.workspace_id,
            read_only=command.read_only,
            word_hash=credential.word_hash,
            hint=token[:8],
            expires_at=command.expires_at,
        ),
    )
    return NewAuthToken(id=credential.id, token=token)


@handlers.register
async def revoke_auth_token(command: RevokeAuthToken, work: Work) -> UUID:
    token = await work.get(AuthToken, command.auth_token_id)
    if token.workspace_id is not None:
        await enter(work, token.workspace_id)
    await work.change(AuthToken, command.auth_token_id, lambda t: t.revoke(work.now))
    return command.auth_token_id


async def principal_of_token(text: str, cache: StateCache, now: datetime) -> Principal | None:
    """Who comes with this token; None for one that is wrong, revoked or run out."""
    found = await held_by(PREFIX, text, AuthToken, cache, now)
    if found is None:
        return None
    token_id, token = found
    actor = Actor(type="AuthToken", id=token_id, name=token.name)
    return Principal(actor, _role(token), token.workspace_id)


def _role(token: AuthToken) -> Role:
    if token.workspace_id is None:
        return Role.GLOBAL_READER if token.read_only else Role.GLOBAL_TOKEN
    return Role.WORKSPACE_READER if token.read_only else Role.WORKSPACE_TOKEN
