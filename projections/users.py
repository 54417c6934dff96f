"""The people who sign in, and the browsers they are signed in with."""

from collections.abc import Iterator
from uuid import UUID

from domain.model import Recorded
from domain.users import SessionEnded, SessionStarted, UserRegistered
from projections.projection import Change, Projection, Table
from projections.reader import Reader, Shown

people = Table(
    "users",
    {
        "user_id": "uuid",
        "name": "text",
        "is_administrator": "boolean",
        "created_at": "timestamptz",
        "last_sign_in_at": "timestamptz",
    },
    key=["user_id"],
)
sessions = Table(
    "sessions",
    {
        "session_id": "uuid",
        "user_id": "uuid",
        "user_name": "text",
        "word_hash": "text",
        "remote_address": "text",
        "started_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
    },
    key=["session_id"],
    indexes=["(word_hash)", "(user_id, started_at)"],
)
users = Projection("users", 1, [people, sessions])


@users.when
def registered(event: UserRegistered, recorded: Recorded) -> Iterator[Change]:
    yield people.put(
        recorded.stream_id,
        name=event.name,
        is_administrator=event.is_administrator,
        created_at=recorded.recorded_at,
    )


@users.when
def signed_in(event: SessionStarted, recorded: Recorded) -> Iterator[Change]:
    yield people.patch(event.user_id, last_sign_in_at=recorded.recorded_at)
    yield sessions.put(
        recorded.stream_id,
        user_id=event.user_id,
        user_name=event.user_name,
        word_hash=event.word_hash,
        remote_address=recorded.metadata.remote_address,
        started_at=recorded.recorded_at,
        expires_at=event.expires_at,
    )


@users.when
def signed_out(event: SessionEnded, recorded: Recorded) -> Iterator[Change]:
    yield sessions.patch(recorded.stream_id, ended_at=event.ended_at)


SESSION = """
    select session_id as id, user_id, user_name, remote_address, started_at, expires_at, ended_at
    from sessions
"""


async def all_users(reader: Reader) -> list[Shown]:
    """Everyone, by name."""
    return await reader.rows(
        "select user_id as id, name, is_administrator, created_at, last_sign_in_at from users"
        " order by name, user_id"
    )


async def sessions_of(reader: Reader, user_id: UUID) -> list[Shown]:
    """The browsers a person was signed in with, newest first."""
    return await reader.rows(
        f"{SESSION} where user_id = %(id)s order by started_at desc, session_id", {"id": user_id}
    )


async def session_of_word(reader: Reader, word_hash: str) -> Shown | None:
    """The session whose cookie's word has this SHA-256 (hex)."""
    return await reader.row(f"{SESSION} where word_hash = %(hash)s", {"hash": word_hash})
