"""A token is made, is good for a while, and is revoked once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.auth_tokens import AuthToken, AuthTokenCreated, AuthTokenRevoked
from domain.model import Action, Audited
from tests.support.scenario import given

NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKSPACE = UUID(int=1)

created = AuthTokenCreated(
    name="terraform",
    workspace_id=WORKSPACE,
    read_only=True,
    word_hash="right",
    hint="qdt_AAAA",
    expires_at=NOON + HOUR,
)
revoked = AuthTokenRevoked(name="terraform", revoked_at=NOON)


def test_a_token_is_made_for_a_workspace() -> None:
    given().when(
        AuthToken.create,
        "terraform",
        workspace_id=WORKSPACE,
        read_only=True,
        word_hash="right",
        hint="qdt_AAAA",
        expires_at=NOON + HOUR,
    ).then(created)


def test_a_token_is_revoked_once() -> None:
    given(created).when(AuthToken.revoke, NOON).then(revoked)
    given(created, revoked).when(AuthToken.revoke, NOON).then_nothing()


def test_a_token_is_good_with_its_word_until_it_runs_out() -> None:
    token = AuthToken.fold([created])
    assert token is not None
    assert token.is_good("right", NOON)
    assert not token.is_good("wrong", NOON)
    assert not token.is_good("right", NOON + HOUR)


def test_a_revoked_token_is_good_for_nothing() -> None:
    token = AuthToken.fold([created, revoked])
    assert token is not None
    assert not token.is_good("right", NOON)


def test_a_token_without_an_end_does_not_run_out() -> None:
    token = AuthToken.fold([created.model_copy(update={"expires_at": None})])
    assert token is not None
    assert token.is_good("right", NOON + 100_000 * HOUR)


def test_the_audit_tells_the_scope_and_never_the_word() -> None:
    assert created.audited() == Audited(
        auditable_type="AuthToken",
        action=Action.CREATE,
        audited_changes={
            "name": "terraform",
            "scope": "workspace",
            "read_only": True,
            "expires_at": NOON + HOUR,
        },
    )
