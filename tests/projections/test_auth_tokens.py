"""What is shown of access tokens."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.auth_tokens import AuthTokenCreated, AuthTokenRevoked
from projections.auth_tokens import token, tokens_of
from tests.projections.scenario import Scenario

ACME, TOKEN = uuid4(), uuid4()
LATER = datetime(2027, 1, 1, tzinfo=UTC)
CREATED = AuthTokenCreated(name="ci", workspace_id=ACME, word_hash="ab" * 32, hint="qd_x")


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
