"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time as decisions see it."""

    def now(self) -> datetime:
        """Now, in UTC, with a time zone."""
        ...
