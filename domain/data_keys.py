"""A data key seals the secrets of one subject; when it is erased, they are gone for everybody."""

from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import StringConstraints

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder
from domain.values import Name

DATA_KEYS = UUID("0c1c4f0e-54a9-4c52-8c1d-3f0f6a6f2a77")
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class DataKeyErased(Event, topic="data_key.erased"):
    """What was sealed for the subject until now can never be read again."""

    subject_id: UUID
    reason: Reason
    ordered_by: Name
    """Who wanted it, in the words of whoever carried it out."""

    def audited(self) -> Audited:
        changes = {
            "subject_id": self.subject_id,
            "reason": self.reason,
            "ordered_by": self.ordered_by,
        }
        return Audited(auditable_type="DataKey", action=Action.DELETE, audited_changes=changes)


class DataKey(Aggregate):
    """Only its end is told: a key is made when something is sealed, and the log does not know it.

    What is sealed for the subject later has a new key, which may be erased in its turn.
    """

    subject_id: UUID

    @classmethod
    def erase(cls, subject_id: UUID, reason: str, ordered_by: str) -> Iterator[Event]:
        yield DataKeyErased(subject_id=subject_id, reason=reason, ordered_by=ordered_by)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match event:
            case DataKeyErased(subject_id=subject_id):
                return cls(subject_id=subject_id)
        raise OutOfOrder(state, event)


def data_key_id(subject_id: UUID) -> UUID:
    """The stream about a subject's key."""
    return uuid5(DATA_KEYS, str(subject_id))
