"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """ports.Clock on this machine's time; order never depends on it."""

    def now(self) -> datetime:
        return datetime.now(UTC)
