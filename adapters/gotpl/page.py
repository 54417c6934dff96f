"""The text a template writes, every piece of it with its place in the template's source."""

from bisect import bisect_right


class TooMuchOutput(Exception):
    """The text has become longer than allowed."""


class NotText(Exception):
    """What is written is no text."""


class Place:
    """Where in the source the template is being run, in characters; None before it is run."""

    position: int | None = None


class Page:
    """What a run writes to; it refuses what is too long."""

    def __init__(self, place: Place, source: str, most_bytes: int) -> None:
        self._place = place
        self._source = source
        self._left = most_bytes
        self._most = most_bytes
        self._pieces: list[str] = []
        self._places: list[int] = []

    def write(self, piece: str) -> None:
        self._left -= len(piece if piece.isascii() else _encoded(piece))
        if self._left < 0:
            raise TooMuchOutput(f"gives more than {self._most:,} bytes")
        self._pieces.append(piece)
        self._places.append(self._place.position or 0)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def source_position(self, line: int, column: int) -> int:
        """The character of the source that a line and column of the text (from 1) came from."""
        starts, end = [], 0
        for piece in self._pieces:
            starts.append(end)
            end += len(piece)
        offset = _offset(self.text, line, column)
        number = max(bisect_right(starts, offset) - 1, 0)
        position = self._places[number] if self._places else 0
        piece = self._pieces[number] if self._pieces else ""
        # The source itself says this, and not the value of an action.
        if self._source.startswith(piece, position):
            return position + offset - starts[number] if starts else position
        return position


def _encoded(piece: str) -> bytes:
    try:
        return piece.encode()
    except UnicodeEncodeError as error:
        raise NotText("gives half of a character, which is no text") from error


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return min(start + column - 1, max(len(text) - 1, 0))


def place_in(source: str, position: int) -> tuple[int, int]:
    """The line and column (from 1) of a character of the source."""
    return source.count("\n", 0, position) + 1, position - (source.rfind("\n", 0, position) + 1) + 1
