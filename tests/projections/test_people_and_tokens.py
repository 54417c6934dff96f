"""What is shown of those who may come in."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.auth_tokens import AuthTokenCreated, AuthTokenRevoked
from domain.users import SessionEnded, SessionStarted, UserRegistered
from projections.auth_tokens import token, tokens_of
from projections.users import all_users, session_of_word, sessions_of
from tests.projections.scenario import Scenario

ACME, TOKEN, USER, SESSION = uuid4(), uuid4(), uuid4(), uuid4()
LATER = datetime(2027, 1, 1, tzinfo=UTC)
CREATED = AuthTokenCreated(name="ci", workspace_id=ACME, word_hash="ab" * 32, hint="qd_x")
STARTED = SessionStarted(
    user_id=USER,
    user_name="Mira",
    is_administrator=True,
    word_hash="cd" * 32,
    expires_at=LATER,
)


async def test_a_token_is_shown_without_its_word(scene: Scenario) -> None:
    await scene.given(TOKEN, CREATED)
    (row,) = await scene.shows(tokens_of, ACME)
    assert {key: row[key] for key in row if key != "created_at"} == {
        "id": str(TOKEN),
        "name": "ci",
        "scope": "workspace",
        "workspace_id": str(ACME),
        "read_only": False,
        "hint": "qd_x",
        "created_by": "Mira Okafor",
        "expires_at": None,
        "revoked_at": None,
    }
    assert await token(scene.reader, TOKEN) == row
    assert await tokens_of(scene.reader, None) == []


async def test_a_revoked_token_is_shown_only_when_asked(scene: Scenario) -> None:
    await scene.given(TOKEN, CREATED, AuthTokenRevoked(name="ci", revoked_at=LATER))
    assert await scene.shows(tokens_of, ACME) == []
    (row,) = await tokens_of(scene.reader, ACME, with_revoked=True)
    assert row["revoked_at"] == "2027-01-01T00:00:00.000000Z"
    assert await token(scene.reader, TOKEN) == row


async def test_people_are_shown_with_their_last_sign_in(scene: Scenario) -> None:
    await scene.given(USER, UserRegistered(name="Mira", is_administrator=True))
    await scene.given(SESSION, STARTED)
    (row,) = await scene.shows(all_users)
    assert (row["name"], row["is_administrator"]) == ("Mira", True)
    assert row["last_sign_in_at"] > row["created_at"]


async def test_a_session_is_found_by_its_word_and_shows_its_end(scene: Scenario) -> None:
    await scene.given(SESSION, STARTED, SessionEnded(ended_at=LATER))
    row = await scene.shows(session_of_word, "cd" * 32)
    assert row is not None
    assert (row["id"], row["user_name"]) == (str(SESSION), "Mira")
    assert row["ended_at"] == "2027-01-01T00:00:00.000000Z"
    assert await sessions_of(scene.reader, USER) == [row]
