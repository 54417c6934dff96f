"""The deadline of a shutdown: a process told to stop ends in time, whatever a part does."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar

SHUTDOWN_SECONDS = 9.0
"""From the signal on. Docker kills after 10 s, Kubernetes after 30 s."""
REPORT_SECONDS = 0.5
"""How long the last log line may take: its reader may be what hangs."""
FORCED = 70
"""The exit code of a process that did not end by itself (EX_SOFTWARE of sysexits.h)."""
CURRENT: ContextVar["ShutdownDeadline | None"] = ContextVar("shutdown deadline", default=None)
"""The deadline of this process, where it has one."""
logger = logging.getLogger(__name__)


class ShutdownDeadline:
    """Ends the process when its parts have not; a thread keeps the time, for a blocked loop too."""

    def __init__(self, seconds: float = SHUTDOWN_SECONDS) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._unfinished: Callable[[], Sequence[str]] = list

    def start(self, unfinished: Callable[[], Sequence[str]]) -> None:
        """From now on the time runs; `unfinished` names what has not ended when it is over."""
        if self._timer is None:
            self._unfinished = unfinished
            self._timer = threading.Timer(self._seconds, self._end)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """The process has ended by itself."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        report = threading.Thread(target=self._report, daemon=True)
        report.start()
        report.join(REPORT_SECONDS)
        os._exit(FORCED)

    def _report(self) -> None:
        logger.critical(
            "The process did not stop within %g s and is ended. What had not ended: %s.",
            self._seconds,
            ", ".join(self._unfinished()) or "the closing of what was open",
        )
