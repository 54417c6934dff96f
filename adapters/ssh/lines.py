"""Output becomes lines for a log: each ends at a newline, or where it would grow too long."""

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LINE_BYTES = 8 * 1024
NEWLINE = ord("\n")


class Line(NamedTuple):
    """A line's text and the number of the byte after it."""

    text: str
    offset: int


class CutLine(Line):
    """A line that would have grown too long; the next one goes on where it ends."""


class Lines:
    """Cuts a stream of bytes into lines, each with the number of the byte after it.

    Where a line is cut depends on its own bytes alone, so that whoever reads again from the end
    of a line gets the same lines.
    """

    def __init__(self, offset: int) -> None:
        self.offset = offset
        """The byte after the last line that was given out."""
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Line]:
        self._rest += chunk
        begin = 0
        while (end := self._end_of_line(begin)) is not None:
            line = self._given(self._rest[begin:end])
            yield line if self._rest[end - 1] == NEWLINE else CutLine(*line)
            begin = end
        del self._rest[:begin]

    def rest(self) -> Iterator[Line]:
        """The last line, when no newline ends it."""
        if self._rest:
            yield self._given(self._rest)
            self._rest = bytearray()

    def _end_of_line(self, begin: int) -> int | None:
        newline = self._rest.find(b"\n", begin, begin + LONGEST_LINE_BYTES)
        if newline >= 0:
            return newline + 1
        if len(self._rest) - begin < LONGEST_LINE_BYTES:
            return None
        return _whole_characters(self._rest, begin, begin + LONGEST_LINE_BYTES)

    def _given(self, line: bytearray) -> Line:
        self.offset += len(line)
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")
        return Line(text.replace("\0", "\N{REPLACEMENT CHARACTER}"), self.offset)


def _whole_characters(line: bytearray, begin: int, end: int) -> int:
    """The last place up to `end` that splits no UTF-8 character."""
    for start in range(end - 1, max(begin, end - 4), -1):
        byte = line[start]
        if byte < 0x80:
            return end
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return end if start + length <= end else start
    return end
