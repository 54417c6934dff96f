"""The auth tokens, without the words that they are."""

from collections.abc import Iterator
from uuid import UUID

from domain.auth_tokens import AuthTokenCreated, AuthTokenRevoked
from domain.model import Recorded
from projections.projection import Change, Projection, Table
from projections.reader import Reader, Shown

table = Table(
    "auth_tokens",
    {
        "token_id": "uuid",
        "name": "text",
        "workspace_id": "uuid",
        "is_read_only": "boolean",
        "hint": "text",
        "word_hash": "text",
        "created_at": "timestamptz",
        "created_by": "text",
        "expires_at": "timestamptz",
        "revoked_at": "timestamptz",
    },
    key=["token_id"],
    indexes=["(word_hash)", "(workspace_id, created_at)"],
)
auth_tokens = Projection("auth_tokens", 1, [table])


@auth_tokens.when
def created(event: AuthTokenCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id,
        name=event.name,
        workspace_id=event.workspace_id,
        is_read_only=event.read_only,
        hint=event.hint,
        word_hash=event.word_hash,
        created_at=recorded.recorded_at,
        created_by=recorded.metadata.actor.name,
        expires_at=event.expires_at,
    )


@auth_tokens.when
def revoked(event: AuthTokenRevoked, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(recorded.stream_id, revoked_at=event.revoked_at)


SHOWN = """
    select token_id as id, name, case when workspace_id is null then 'global' else 'workspace' end
           as scope, workspace_id, is_read_only as read_only, hint, created_at, created_by,
           expires_at, revoked_at
    from auth_tokens
"""


async def tokens_of(
    reader: Reader, workspace_id: UUID | None, *, with_revoked: bool = False
) -> list[Shown]:
    """The tokens of a workspace, or the global ones, newest first."""
    return await reader.rows(
        f"{SHOWN} where workspace_id is not distinct from %(workspace_id)s"
        " and (%(with_revoked)s or revoked_at is null) order by created_at desc, token_id",
        {"workspace_id": workspace_id, "with_revoked": with_revoked},
    )


async def token(reader: Reader, token_id: UUID) -> Shown | None:
    """One token by its id."""
    return await reader.row(f"{SHOWN} where token_id = %(id)s", {"id": token_id})
