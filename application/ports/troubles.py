"""What may be the matter with a server or a key, whichever port one asks."""

from domain.model import Refusal


class Erased(Refusal, LookupError, code="erased"):
    """The key of a secret was erased: nobody can read it any more."""


class Overloaded(Exception):
    """A queue is full; ask again in `retry_after_seconds`. `detail` is for people."""

    retry_after_seconds = 1

    def __init__(self, detail: str = "Too many writes are waiting.") -> None:
        super().__init__(detail)
        self.detail = detail


class Unavailable(Exception):
    """A server that is needed cannot be reached or refuses to write; `detail` is for people."""

    retry_after_seconds = 5

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EventsLost(Exception):
    """The log does not hold what its reader has seen: events were lost, and positions come again.

    `seen` is the last position that the reader has seen, `head` where the log ends now, `kept` the
    last position that is known to be the same as before; None when that is not known.
    """

    def __init__(self, seen: int, head: int, kept: int | None = None) -> None:
        super().__init__(seen, head, kept)
        self.seen = seen
        self.head = head
        self.kept = kept

    def __str__(self) -> str:
        now = (
            f"the log ends at {self.head}"
            if self.head < self.seen
            else f"another event stands there now, and the log ends at {self.head}"
        )
        since = "" if self.kept is None else f" All up to position {self.kept} is as it was."
        return f"It has seen up to position {self.seen}; {now}: events were lost.{since}"
