"""Auth tokens over the API: made, shown once, listed and revoked by administrators."""

from typing import Any

from starlette.types import ASGIApp

from adapters.http.api.shapes import auth_tokens as shapes
from adapters.http.api.shapes import read_only
from adapters.http.calls import Call, found
from adapters.http.parameters import InWorkspace, Reading
from adapters.http.routing import Route, Takes, Within, changed, command, query
from application.auth_tokens import CreateAuthToken, NewAuthToken, RevokeAuthToken
from application.commands import Outcome
from application.permissions import Permission
from domain.auth_tokens import AuthToken
from projections.auth_tokens import token, tokens_of
from projections.reader import Shown, rfc3339

AT = "/api/v1/auth_tokens"
READ_ONLY = read_only(shapes.NewAuthToken, "name", "workspace_id", "read_only", "expires_at")
HINT = 8


class TokenList(Reading, InWorkspace):
    with_revoked: bool = False


async def list_tokens(call: Call) -> list[Shown]:
    """The tokens of a workspace, or the global ones when none is named; never their words."""
    return await tokens_of(
        await call.reader(), call.workspace_id, with_revoked=call.parameters.with_revoked
    )


async def was_created(call: Call, outcome: Outcome) -> ASGIApp:
    """The one time that the token's word is shown; it waits for no read model."""
    if outcome.is_repeated or outcome.recorded_at is None:
        made = NewAuthToken.model_validate(outcome.result)
        row = found(await token(await call.reader_of(outcome), made.id), "token", made.id)
        return changed(outcome, {**row, "token": None}, 201, f"{AT}/{made.id}")
    made = outcome.result
    _, state = await call.edge.cache.load(AuthToken, made.id)
    assert isinstance(state, AuthToken)
    shown = _fresh(call, made, state, rfc3339(outcome.recorded_at))
    return changed(outcome, shown, 201, f"{AT}/{made.id}")


async def was_revoked(call: Call, outcome: Outcome) -> ASGIApp:
    id_ = call.path["auth_token_id"]
    row = found(await token(await call.reader_of(outcome), id_), "token", id_)
    return changed(outcome, row)


def _fresh(call: Call, made: NewAuthToken, state: AuthToken, created_at: str) -> dict[str, Any]:
    return {
        "id": made.id,
        "name": state.name,
        "scope": "workspace" if state.workspace_id else "global",
        "workspace_id": state.workspace_id,
        "read_only": state.read_only,
        "hint": (made.token or "")[:HINT],
        "created_at": created_at,
        "created_by": call.principal.actor.name,
        "expires_at": rfc3339(state.expires_at) if state.expires_at else None,
        "revoked_at": None,
        "token": made.token,
    }


ROUTES: tuple[Route, ...] = (
    query(
        "/auth_tokens",
        list_tokens,
        Permission.READ_TOKENS,
        shows=list[shapes.AuthToken],
        within=Within.ANY,
        parameters=TokenList,
    ),
    command(
        "POST",
        "/auth_tokens",
        CreateAuthToken,
        was_created,
        shows=shapes.NewAuthToken,
        statuses={201: "Created. The token is shown this once."},
        within=Within.ANY,
        takes=Takes(command=CreateAuthToken, ignores=READ_ONLY),
    ),
    command(
        "DELETE",
        "/auth_tokens/{auth_token_id}",
        RevokeAuthToken,
        was_revoked,
        shows=shapes.AuthToken,
        statuses={200: "Revoked: it lets nobody in any more."},
    ),
)
