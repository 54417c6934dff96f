"""A user is a person who signs in; the first administrator is made by a one-time link."""

from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest
from typing import Self
from uuid import UUID

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder, Refusal
from domain.values import Name


class UserRegistered(Event, topic="user.registered"):
    name: Name
    is_administrator: bool = False

    def audited(self) -> Audited:
        changes = {"name": self.name, "is_administrator": self.is_administrator}
        return Audited(auditable_type="User", action=Action.CREATE, audited_changes=changes)


class User(Aggregate):
    name: str
    is_administrator: bool

    @classmethod
    def register(cls, name: str, *, is_administrator: bool) -> Iterator[Event]:
        yield UserRegistered(name=name, is_administrator=is_administrator)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, UserRegistered():
                return cls(name=event.name, is_administrator=event.is_administrator)
        raise OutOfOrder(state, event)


class SignInLinkIssued(Event, topic="sign_in_link.issued"):
    """A link that signs its user in once; only the SHA-256 of its word is kept, in hex."""

    user_id: UUID
    word_hash: str
    expires_at: datetime


class SignInLinkUsed(Event, topic="sign_in_link.used"):
    session_id: UUID


class LinkIsSpent(Refusal, code="link_spent"):
    """The link was used, has run out or never was."""


class SignInLink(Aggregate):
    user_id: UUID
    word_hash: str
    expires_at: datetime
    is_used: bool = False

    @classmethod
    def issue(cls, user_id: UUID, word_hash: str, expires_at: datetime) -> Iterator[Event]:
        yield SignInLinkIssued(user_id=user_id, word_hash=word_hash, expires_at=expires_at)

    def use(self, word_hash: str, session_id: UUID, now: datetime) -> Iterator[Event]:
        if self.is_used or now >= self.expires_at or word_hash != self.word_hash:
            raise LinkIsSpent(
                "This link was used or has run out. Ask for a new one: quarterdeck sign-in."
            )
        yield SignInLinkUsed(session_id=session_id)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, SignInLinkIssued():
                return cls(
                    user_id=event.user_id, word_hash=event.word_hash, expires_at=event.expires_at
                )
            case SignInLink(), SignInLinkUsed():
                return state.after(is_used=True)
        raise OutOfOrder(state, event)


class SessionStarted(Event, topic="session.started"):
    """A browser is signed in; only the SHA-256 of the cookie's word is kept, in hex."""

    user_id: UUID
    user_name: Name
    is_administrator: bool
    word_hash: str
    expires_at: datetime

    def audited(self) -> Audited:
        changes = {"user_name": self.user_name, "expires_at": self.expires_at}
        return Audited(auditable_type="Session", action=Action.CREATE, audited_changes=changes)


class SessionEnded(Event, topic="session.ended"):
    ended_at: datetime

    def audited(self) -> Audited:
        changes = {"ended_at": [None, self.ended_at]}
        return Audited(auditable_type="Session", action=Action.UPDATE, audited_changes=changes)


class Session(Aggregate):
    user_id: UUID
    user_name: str
    is_administrator: bool
    word_hash: str
    expires_at: datetime
    is_ended: bool = False

    @classmethod
    def start(
        cls, user_id: UUID, user: User, word_hash: str, expires_at: datetime
    ) -> Iterator[Event]:
        yield SessionStarted(
            user_id=user_id,
            user_name=user.name,
            is_administrator=user.is_administrator,
            word_hash=word_hash,
            expires_at=expires_at,
        )

    def end(self, now: datetime) -> Iterator[Event]:
        if not self.is_ended:
            yield SessionEnded(ended_at=now)

    def is_good(self, word_hash: str, now: datetime) -> bool:
        is_alive = not self.is_ended and now < self.expires_at
        return is_alive and compare_digest(word_hash, self.word_hash)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, SessionStarted():
                return cls(**event.model_dump())
            case Session(), SessionEnded():
                return state.after(is_ended=True)
        raise OutOfOrder(state, event)
