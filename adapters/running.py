"""Runs a process's main coroutine on uvloop, with the garbage collector tuned for its cache."""

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from adapters.shutdown import CURRENT, SHUTDOWN_SECONDS, ShutdownDeadline

T = TypeVar("T")

COLLECT_AFTER = (10_000, 20, 20)
"""Python's own (700, 10, 10) looks through all cached states again and again and finds nothing:
what a command leaves behind is freed by counting references."""


def run(work: Coroutine[Any, Any, T], shutdown_seconds: float = SHUTDOWN_SECONDS) -> T:
    """Run to completion; once the process was told to stop, at most for so long."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    deadline = ShutdownDeadline(shutdown_seconds)
    CURRENT.set(deadline)
    try:
        return uvloop.run(work)
    finally:
        deadline.cancel()
