"""The log as it is followed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.model import Recorded


@dataclass(slots=True, frozen=True)
class Mark:
    """How far a reader is in one partition: the next offset to read and the last position seen.

    `leaf` is the Merkle leaf hash of the event at that position, where it is known: after a
    failover or a restore another event may stand there.
    """

    offset: int = 0
    position: int = 0
    leaf: bytes | None = field(default=None, compare=False)


@dataclass(slots=True, frozen=True)
class Page:
    """Some records of one partition, in order, and how far they bring their reader.

    `upto`: every position at or below it that belongs to this partition is in this page or an
    earlier one, also when the page is empty. `leaf` is that of the event there (see Mark).
    """

    partition: int
    records: Sequence[Recorded]
    next_offset: int
    upto: int
    leaf: bytes | None = field(default=None, compare=False)

    @property
    def mark(self) -> Mark:
        """Where its reader is when it has taken the page."""
        return Mark(self.next_offset, self.upto, self.leaf)


Marks = Callable[[Collection[int]], Awaitable[Mapping[int, Mark]]]


class Stream(Protocol):
    """The log as it is followed: in order within a partition, each record at least once.

    Two adapters keep this promise: the log itself (one partition) and Kafka (many).
    """

    def follow(self, marks: Marks) -> AsyncGenerator[Page, None]:
        """Pages without end, each partition from its mark.

        `marks` is asked for each partition when it is assigned; what the broker remembers is
        never the truth. Waits when there is nothing; recovers by itself when its server comes back.
        """
        ...
