"""The system as the API shows it: who follows the log, what is parked, what runs."""

from datetime import datetime

from domain.model import Value


class LogReader(Value):
    """A projection or a delivery that follows the log."""

    name: str
    kind: str
    version: int | None
    position: int
    lag_seconds: float | None
    parked: int


class ParkedEvent(Value):
    """An event that a reader could not show or send, and went past."""

    reader: str
    position: int
    topic: str | None
    reason: str
    tries: int | None
    parked_at: datetime
    name: str | None
    can_retry: bool


class Process(Value):
    kind: str
    name: str
    seen_at: datetime | None
    detail: str | None
    is_alive: bool


class System(Value):
    """`faults` are the reasons why this process cannot serve just now, and which readers of the log
    stand still because events were lost."""

    instance: str
    version: str
    time: datetime
    position: int
    readers: list[LogReader]
    parked: list[ParkedEvent]
    processes: list[Process]
    faults: list[str]
