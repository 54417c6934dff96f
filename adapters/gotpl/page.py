"""The text a template writes, every piece of it with its place in the template's source."""

from bisect import bisect_right
from typing import Any

from gotpl.errors import TemplateExecutionError

_NO_VALUE = "<no value>"


class TooMuchOutput(TemplateExecutionError):
    """The text has become longer than allowed."""


class Place:
    """Where in the source the template is being run; gotpl moves it."""

    def __init__(self) -> None:
        self.program: Any = None
        self.position = 0

    @property
    def source(self) -> str:
        return "" if self.program is None else str(self.program.source)

    @property
    def source_name(self) -> str:
        return "template"

    template_name = source_name


class Page:
    """What gotpl writes to; it refuses what is too long, and what is no value at all."""

    def __init__(self, place: Place, most_bytes: int) -> None:
        self._place = place
        self._left = most_bytes
        self._most = most_bytes
        self._pieces: list[str] = []
        self._places: list[int] = []

    def write(self, piece: str) -> int:
        self._left -= len(piece if piece.isascii() else _encoded(piece))
        if self._left < 0:
            raise TooMuchOutput(f"gives more than {self._most:,} bytes")
        if piece == _NO_VALUE and not self._is_from_source(piece, self._place.position):
            raise TemplateExecutionError(
                "this has no value: put it between {{ if }} and {{ end }}, or give it a default"
            )
        self._pieces.append(piece)
        self._places.append(self._place.position)
        return len(piece)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def source_position(self, line: int, column: int) -> int:
        """The byte of the source that a line and column of the text (from 1) came from."""
        starts, end = [], 0
        for piece in self._pieces:
            starts.append(end)
            end += len(piece)
        offset = _offset(self.text, line, column)
        number = max(bisect_right(starts, offset) - 1, 0)
        position = self._places[number] if self._places else 0
        piece = self._pieces[number] if self._pieces else ""
        if not self._is_from_source(piece, position):
            return position
        return position + len(piece[: offset - starts[number]].encode())

    def _is_from_source(self, piece: str, position: int) -> bool:
        """Whether the source itself says this, and not the value of an action."""
        encoded = piece.encode()
        source = self._place.source.encode()
        return source[position : position + len(encoded)] == encoded


def _encoded(piece: str) -> bytes:
    try:
        return piece.encode()
    except UnicodeEncodeError as error:
        raise TemplateExecutionError("gives half of a character, which is no text") from error


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return min(start + column - 1, max(len(text) - 1, 0))


def place_in(source: str, position: int) -> tuple[int, int]:
    """The line and column (from 1, in characters) of a byte of the source."""
    before = source.encode(errors="replace")[:position].decode(errors="replace")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
