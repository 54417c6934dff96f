"""The words between us and a worker: JSON with its length before it, never longer than agreed."""

import json
import struct
from collections.abc import Callable
from typing import Any

from adapters.gotpl.limits import MEBIBYTE

MAX_FRAME_BYTES = 32 * MEBIBYTE
"""A mebibyte of output as text, normalised text and JSON stays far below."""

_LENGTH = struct.Struct(">I")
HEAD_BYTES = _LENGTH.size

Frame = dict[str, Any]


class BrokenFrame(Exception):
    """The other side said something that is no frame, or ended in the middle of one."""


def packed(frame: Frame, default: Callable[[Any], Any] | None = None) -> bytes:
    """The bytes of a frame; `default` turns values that JSON does not know."""
    body = json.dumps(frame, separators=(",", ":"), default=default).encode()
    if len(body) > MAX_FRAME_BYTES:
        raise BrokenFrame(f"a frame of {len(body):,} bytes")
    return _LENGTH.pack(len(body)) + body


def length_in(head: bytes) -> int:
    """How many bytes follow the head."""
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise BrokenFrame(f"a frame of {length:,} bytes")
    return int(length)


def unpacked(body: bytes) -> Frame:
    try:
        frame = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("a frame that is not JSON") from error
    if not isinstance(frame, dict):
        raise BrokenFrame("a frame that is not an object")
    return frame


def answer_of_fault(detail: str, line: int | None = None, column: int | None = None) -> Frame:
    """The answer about a section that gave nothing."""
    fault = {"detail": detail, "line": line, "column": column}
    return {"text": None, "documents": None, "fault": fault}


NOT_BEGUN = answer_of_fault("was not rendered, because the sections before it took all the time")
