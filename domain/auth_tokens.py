"""An auth token lets a program in: global or for one workspace, with full rights or read only."""

from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest
from typing import Self
from uuid import UUID

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder
from domain.values import Name


class AuthTokenCreated(Event, topic="auth_token.created"):
    """A token was made and shown once; only the SHA-256 of its word is kept, in hex."""

    name: Name
    workspace_id: UUID | None = None
    read_only: bool = False
    word_hash: str
    hint: str
    """The token's first characters, by which its owner knows it again."""
    expires_at: datetime | None = None

    def audited(self) -> Audited:
        changes = {
            "name": self.name,
            "scope": "workspace" if self.workspace_id else "global",
            "read_only": self.read_only,
            "expires_at": self.expires_at,
        }
        return Audited(auditable_type="AuthToken", action=Action.CREATE, audited_changes=changes)


class AuthTokenRevoked(Event, topic="auth_token.revoked"):
    name: Name
    revoked_at: datetime

    def audited(self) -> Audited:
        changes = {"name": self.name, "revoked_at": self.revoked_at}
        return Audited(auditable_type="AuthToken", action=Action.DELETE, audited_changes=changes)


class AuthToken(Aggregate):
    name: str
    workspace_id: UUID | None
    read_only: bool
    word_hash: str
    expires_at: datetime | None
    is_revoked: bool = False

    @classmethod
    def create(
        cls,
        name: str,
        *,
        workspace_id: UUID | None,
        read_only: bool,
        word_hash: str,
        hint: str,
        expires_at: datetime | None,
    ) -> Iterator[Event]:
        yield AuthTokenCreated(
            name=name,
            workspace_id=workspace_id,
            read_only=read_only,
            word_hash=word_hash,
            hint=hint,
            expires_at=expires_at,
        )

    def revoke(self, now: datetime) -> Iterator[Event]:
        if not self.is_revoked:
            yield AuthTokenRevoked(name=self.name, revoked_at=now)

    def is_good(self, word_hash: str, now: datetime) -> bool:
        alive = self.expires_at is None or now < self.expires_at
        return alive and not self.is_revoked and compare_digest(word_hash, self.word_hash)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, AuthTokenCreated():
                return cls(**event.model_dump(exclude={"hint"}))
            case AuthToken(), AuthTokenRevoked():
                return state.after(is_revoked=True)
        raise OutOfOrder(state, event)
