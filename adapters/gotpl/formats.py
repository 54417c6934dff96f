"""`printf`: a format that is filled with values, and what Go says where the two do not fit."""

from collections.abc import Sequence
from typing import Any

from adapters.gotpl.directives import Directive
from adapters.gotpl.kinds import is_nothing, is_whole, type_of
from adapters.gotpl.printing import plain
from adapters.gotpl.verbs import written

_LARGEST_WIDTH = 1_000_000


def printed_by(form: str, *values: Any) -> str:
    """`printf`"""
    return _Form(form, values).filled()


class _Form:
    """A format, and the values that it has not used yet."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self._form = form
        self._values = values
        self._at = 0
        self._number = 0
        self._is_reordered = False
        self._is_good = True
        self._follows_index = False

    def filled(self) -> str:
        pieces: list[str] = []
        while (percent := self._form.find("%", self._at)) >= 0:
            pieces.append(self._form[self._at : percent])
            self._at = percent + 1
            self._directive(pieces)
        pieces.append(self._form[self._at :])
        if not self._is_reordered and self._number < len(self._values):
            pieces.append(self._extra())
        return "".join(pieces)

    def _directive(self, pieces: list[str]) -> None:
        self._is_good = True
        flags = self._flags()
        self._index()
        flags, width = self._width(flags, pieces)
        precision = self._precision(pieces)
        if not self._follows_index:
            self._index()
        verb = self._peek()
        if not verb:
            pieces.append("%!(NOVERB)")
            return
        self._at += 1
        pieces.append(self._shown(Directive(flags, width, precision), verb))

    def _shown(self, how: Directive, verb: str) -> str:
        if verb == "%":
            return "%"
        if not self._is_good:
            return f"%!{verb}(BADINDEX)"
        if self._number >= len(self._values):
            return f"%!{verb}(MISSING)"
        value = self._values[self._number]
        self._number += 1
        return written(value, verb, how.for_any_value() if verb == "v" else how)

    def _flags(self) -> str:
        start = self._at
        while self._peek() and self._peek() in "+-# 0":
            self._at += 1
        return self._form[start : self._at]

    def _width(self, flags: str, pieces: list[str]) -> tuple[str, int | None]:
        if self._peek() != "*":
            width = self._digits()
            if self._follows_index and width is not None:
                self._is_good = False
            return flags, width
        width = self._taken()
        if width is None:
            pieces.append("%!(BADWIDTH)")
        elif width < 0:
            return flags.replace("0", "") + "-", -width
        return flags, width

    def _precision(self, pieces: list[str]) -> int | None:
        if self._peek() != ".":
            return None
        self._at += 1
        if self._follows_index:
            self._is_good = False
        self._index()
        if self._peek() != "*":
            return self._digits() or 0
        precision = self._taken()
        if precision is None or precision < 0:
            pieces.append("%!(BADPREC)")
            return None
        return precision

    def _taken(self) -> int | None:
        """What a star stands for."""
        self._at += 1
        self._follows_index = False
        if self._number >= len(self._values):
            return None
        value = self._values[self._number]
        self._number += 1
        return value if is_whole(value) and abs(value) <= _LARGEST_WIDTH else None

    def _digits(self) -> int | None:
        number: int | None = None
        while self._peek() and self._peek() in "0123456789":
            if number is not None and number > _LARGEST_WIDTH:
                self._at = len(self._form)
                return None
            number = 10 * (number or 0) + int(self._peek())
            self._at += 1
        return number

    def _index(self) -> None:
        """`[2]` before a star, a width or a verb: which value is meant."""
        self._follows_index = False
        if self._peek() != "[":
            return
        self._is_reordered = True
        end = self._form.find("]", self._at)
        if end < 0 or len(self._form) - self._at < 3:
            self._at += 1
            self._is_good = False
            return
        inside = self._form[self._at + 1 : end]
        self._at = end + 1
        self._choose(inside)

    def _choose(self, index: str) -> None:
        is_number = index.isascii() and index.isdigit()
        if is_number and 1 <= int(index) <= len(self._values):
            self._number = int(index) - 1
        else:
            self._is_good = False
        self._follows_index = is_number

    def _extra(self) -> str:
        left = [
            "<nil>" if is_nothing(value) else f"{type_of(value)}={plain(value)}"
            for value in self._values[self._number :]
        ]
        return f"%!(EXTRA {', '.join(left)})"

    def _peek(self) -> str:
        return self._form[self._at] if self._at < len(self._form) else ""
