"""A person comes in by a link that works once, and stays by a session that ends."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.users import (
    LinkIsSpent,
    Session,
    SessionEnded,
    SessionStarted,
    SignInLink,
    SignInLinkIssued,
    SignInLinkUsed,
    User,
    UserRegistered,
)
from tests.support.scenario import given

NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
USER, SESSION = UUID(int=1), UUID(int=2)

registered = UserRegistered(name="Ada", is_administrator=True)
issued = SignInLinkIssued(user_id=USER, word_hash="right", expires_at=NOON + HOUR)
used = SignInLinkUsed(session_id=SESSION)
started = SessionStarted(
    user_id=USER,
    user_name="Ada",
    is_administrator=True,
    word_hash="right",
    expires_at=NOON + HOUR,
)
ended = SessionEnded(ended_at=NOON)


def test_a_user_is_registered_by_name() -> None:
    given().when(User.register, "Ada", is_administrator=True).then(registered)


def test_a_link_is_issued_for_a_user() -> None:
    given().when(SignInLink.issue, USER, "right", NOON + HOUR).then(issued)


def test_a_link_signs_in_with_its_word() -> None:
    given(issued).when(SignInLink.use, "right", SESSION, NOON).then(used)


def test_a_link_works_once() -> None:
    given(issued, used).when(SignInLink.use, "right", SESSION, NOON).then_refused(LinkIsSpent)


def test_a_link_with_another_word_does_not_work() -> None:
    given(issued).when(SignInLink.use, "wrong", SESSION, NOON).then_refused(LinkIsSpent)


def test_a_link_runs_out_at_its_hour() -> None:
    given(issued).when(SignInLink.use, "right", SESSION, NOON + HOUR).then_refused(LinkIsSpent)


def test_a_session_remembers_who_its_user_was_when_it_started() -> None:
    user = User.fold([registered])
    given().when(Session.start, USER, user, "right", NOON + HOUR).then(started)


def test_a_session_ends_once() -> None:
    given(started).when(Session.end, NOON).then(ended)
    given(started, ended).when(Session.end, NOON).then_nothing()


def test_a_session_is_good_with_its_word_until_it_ends_or_runs_out() -> None:
    session = Session.fold([started])
    assert session is not None
    assert session.is_good("right", NOON)
    assert not session.is_good("wrong", NOON)
    assert not session.is_good("right", NOON + HOUR)
    over = Session.fold([ended], session)
    assert over is not None
    assert not over.is_good("right", NOON)


def test_the_audit_of_a_session_shows_no_hash() -> None:
    assert "right" not in str(started.audited())
    assert issued.audited() is None
