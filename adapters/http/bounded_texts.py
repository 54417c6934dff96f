"""An answer that tells what is wrong is small, however much is wrong and however long it is."""

from collections.abc import Iterable

import orjson

from domain.model import MAX_FAULTS, Fault

MAX_DETAIL = 1_000
MAX_FAULT_TEXT = 300
MAX_FAULT_BYTES = 32 * 1024
"""Of all faults together as JSON, so that an answer with all its texts stays below 64 KiB."""


def shortened(text: str, at_most: int = MAX_FAULT_TEXT) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"


def told_faults(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """The first faults as JSON tells them, each with texts of bounded length."""
    told: list[dict[str, str]] = []
    left = MAX_FAULT_BYTES
    for fault in faults:
        one = {"detail": shortened(fault.detail), "pointer": shortened(fault.pointer)}
        left -= len(orjson.dumps(one))
        if left < 0 or len(told) == MAX_FAULTS:
            break
        told.append(one)
    return told
