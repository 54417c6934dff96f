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
