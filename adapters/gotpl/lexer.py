"""The lexer cuts a source into what Go's lexer would."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from adapters.gotpl.faults import SourceFault

LEFT, RIGHT = "{{", "}}"
_COMMENT, _END_OF_COMMENT = "/*", "*/"
_SPACE = " \t\r\n"
_DIGITS = "0123456789"
_HEXADECIMAL = _DIGITS + "abcdefABCDEF"
_ENDS_A_WORD = ".,|:)("
KEYWORDS = frozenset(
    "block break continue define else end if nil range template with".split()  # noqa: SIM905
)


class Token(NamedTuple):
    """A kind is a keyword or sign by its own name, or one of those that `tokens` gives."""

    kind: str
    text: str
    at: int


def tokens(source: str) -> Iterator[Token]:
    """`literal`, `{{`, `}}`, `space`, `word`, `field`, `variable`, `number`, `string`, …, `end`.

    Raises SourceFault when what comes next is nothing.
    """
    return _Lexer(source).tokens()


def is_letter_or_digit(character: str) -> bool:
    return character == "_" or character.isalpha() or unicodedata.category(character) == "Nd"


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def tokens(self) -> Iterator[Token]:
        source = self._source
        while self._at < len(source):
            left = source.find(LEFT, self._at)
            if left < 0:
                yield Token("literal", source[self._at :], self._at)
                break
            inside = left + len(LEFT)
            trims = source[inside : inside + 1] == "-" and self._is_space(inside + 1)
            literal = source[self._at : left]
            if trims:
                literal = literal.rstrip(_SPACE)
                inside += 2
            if literal:
                yield Token("literal", literal, self._at)
            if source.startswith(_COMMENT, inside):
                self._comment(inside)
            else:
                yield Token(LEFT, LEFT, left)
                self._at = inside
                yield from self._action(left)
        yield Token("end of source", "", len(source))

    def _comment(self, start: int) -> None:
        end = self._source.find(_END_OF_COMMENT, start + len(_COMMENT))
        if end < 0:
            raise SourceFault("this comment does not end", start)
        self._at = end + len(_END_OF_COMMENT)
        right = self._right()
        if right is None:
            raise SourceFault("a comment must be all that is between {{ and }}", self._at)
        self._leave(*right)

    def _right(self) -> tuple[int, bool] | None:
        """The end of the action that stands here, if one does, and whether it trims."""
        if self._is_space(self._at) and self._source.startswith("-" + RIGHT, self._at + 1):
            return self._at + 2 + len(RIGHT), True
        if self._source.startswith(RIGHT, self._at):
            return self._at + len(RIGHT), False
        return None

    def _leave(self, end: int, trims: bool) -> None:
        self._at = end
        while trims and self._is_space(self._at):
            self._at += 1

    def _action(self, left: int) -> Iterator[Token]:
        self._depth = 0
        while True:
            right = self._right()
            if right is not None:
                if self._depth:
                    raise SourceFault("a left parenthesis is not closed", self._at)
                yield Token(RIGHT, RIGHT, right[0] - len(RIGHT))
                self._leave(*right)
                return
            if self._at >= len(self._source):
                raise SourceFault("this action is not closed: }} is missing", left)
            start = self._at
            kind = self._next_kind(self._source[start])
            yield Token(kind, self._source[start : self._at], start)

    def _next_kind(self, first: str) -> str:
        """Move past what stands here, and tell what it is."""
        if first in _SPACE:
            return self._spaces()
        if first in "\"'`":
            return self._quoted(first)
        if first == "$" or (first == "." and self._peek(1) not in tuple(_DIGITS)):
            return self._name(first)
        if first in "+-." or first in _DIGITS:
            return self._number()
        if is_letter_or_digit(first):
            return self._word()
        return self._sign(first)

    def _spaces(self) -> str:
        while self._is_space(self._at) and self._right() is None:
            self._at += 1
        return "space"

    def _quoted(self, quote: str) -> str:
        start = self._at
        self._at += 1
        while True:
            character = self._peek()
            if character == "\\" and quote != "`":
                self._at += 1
                character = self._peek()
                if character and character != "\n":
                    self._at += 1
                    continue
            if not character or (character == "\n" and quote != "`"):
                raise SourceFault(f"a text in {quote} does not end", start)
            self._at += 1
            if character == quote:
                return {"'": "character"}.get(quote, "string")

    def _name(self, first: str) -> str:
        self._at += 1
        if self._ends_word():
            return "variable" if first == "$" else "dot"
        self._letters()
        return "variable" if first == "$" else "field"

    def _word(self) -> str:
        start = self._at
        self._letters()
        word = self._source[start : self._at]
        if word in KEYWORDS:
            return word
        return "boolean" if word in ("true", "false") else "word"

    def _letters(self) -> None:
        while (character := self._peek()) and is_letter_or_digit(character):
            self._at += 1
        if not self._ends_word():
            raise SourceFault(f"the character {self._peek()!r} cannot stand here", self._at)

    def _ends_word(self) -> bool:
        character = self._peek()
        return (
            not character
            or character in _SPACE
            or character in _ENDS_A_WORD
            or self._source.startswith(RIGHT, self._at)
        )

    def _number(self) -> str:
        start = self._at
        is_number = self._scanned_number()
        kind = "number"
        if is_number and self._peek() in ("+", "-"):
            is_number = self._scanned_number() and self._source[self._at - 1] == "i"
            kind = "complex"
        if not is_number:
            written = self._source[start : self._at]
            raise SourceFault(f"{written} is not how a number is written", start)
        return kind

    def _scanned_number(self) -> bool:
        digits = _DIGITS + "_"
        exponent = "eE"
        self._accept("+-")
        if self._accept("0"):
            if self._accept("xX"):
                digits, exponent = _HEXADECIMAL + "_", "pP"
            elif self._accept("oO"):
                digits, exponent = "01234567_", ""
            elif self._accept("bB"):
                digits, exponent = "01_", ""
        self._accept_all(digits)
        if self._accept("."):
            self._accept_all(digits)
        if exponent and self._accept(exponent):
            self._accept("+-")
            self._accept_all(_DIGITS + "_")
        self._accept("i")
        following = self._peek()
        if following and is_letter_or_digit(following):
            self._at += 1
            return False
        return True

    def _accept(self, characters: str) -> bool:
        is_there = self._peek() != "" and self._peek() in characters
        self._at += is_there
        return is_there

    def _accept_all(self, characters: str) -> None:
        while self._accept(characters):
            pass

    def _sign(self, first: str) -> str:
        self._at += 1
        if first == ":":
            if self._peek() != "=":
                raise SourceFault("after : there must be =", self._at - 1)
            self._at += 1
            return ":="
        if first == "(":
            self._depth += 1
        elif first == ")":
            self._depth -= 1
            if self._depth < 0:
                raise SourceFault("a right parenthesis was not opened", self._at - 1)
        elif not (first.isascii() and first.isprintable()):
            raise SourceFault(f"the character {first!r} cannot stand here", self._at - 1)
        return first

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._source[at] if at < len(self._source) else ""

    def _is_space(self, at: int) -> bool:
        return at < len(self._source) and self._source[at] in _SPACE
