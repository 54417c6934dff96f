"""How every process runs its one coroutine: on uvloop, with a collector that lets states lie."""

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

COLLECT_AFTER = (10_000, 20, 20)
"""Python's own (700, 10, 10) looks through all cached states again and again and finds nothing:
what a command leaves behind is freed by counting references."""


def run(work: Coroutine[Any, Any, T]) -> T:
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    return uvloop.run(work)
