"""The event log itself: what it lost, in a failover or by a restore, and who went on without it."""

from collections.abc import Iterator
from typing import Annotated, Self
from uuid import UUID

from pydantic import StringConstraints

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder
from domain.values import Name

EVENT_LOG = UUID("a3f6a0b4-2f0e-4d53-9a53-5d3f7a3f1c14")
"""The one stream about the log."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class EventLossAccepted(Event, topic="log.loss_accepted"):
    """Events that somebody has seen are lost, and their positions have come again with others.

    Whoever keeps positions of this log goes back behind `after`; where that is not known, to the
    beginning, or to what they know to be the same.
    """

    after: int | None
    """The last position that is known to be the same as before."""
    seen: int
    """The last position that anybody is known to have seen of what was lost."""
    readers: tuple[str, ...]
    reason: Reason
    ordered_by: Name
    """Who wanted it, in the words of whoever carried it out."""

    def audited(self) -> Audited:
        changes = {
            "after": self.after,
            "seen": self.seen,
            "readers": list(self.readers),
            "reason": self.reason,
            "ordered_by": self.ordered_by,
        }
        return Audited(auditable_type="EventLog", action=Action.UPDATE, audited_changes=changes)


class EventLog(Aggregate):
    """How often it has lost events that somebody had seen."""

    losses: int

    @classmethod
    def accept_loss(
        cls, after: int | None, seen: int, readers: tuple[str, ...], reason: str, ordered_by: str
    ) -> Iterator[Event]:
        yield EventLossAccepted(
            after=after, seen=seen, readers=readers, reason=reason, ordered_by=ordered_by
        )

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match event:
            case EventLossAccepted():
                return cls(losses=1 + (state.losses if state else 0))
        raise OutOfOrder(state, event)
