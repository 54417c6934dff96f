"""Regular expressions as Go reads them, written so that gotpl reads the same in them."""

import re
from typing import Any

from gotpl.runtime.results import unwrap_function_result

from adapters.gotpl.faults import Refusal
from adapters.gotpl.sprig import SPRIG

_MOST_REPEATED = 1_000
_REPEAT = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}", re.ASCII)
_NAMED = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>", re.ASCII)
_CLASS = re.compile(r"\[:\^?([a-z]*):\]", re.ASCII)
_LONG_ESCAPE = re.compile(r"\\[pPx]\{[^}]*\}")
_ESCAPED_LETTERS = "aftnrvAbBdDsSwWzpPx"
_CLASSES = frozenset(
    "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()  # noqa: SIM905
)


class _Reader:
    """Copies a pattern, and writes otherwise what gotpl would read otherwise."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._written: list[str] = []
        self._names: set[str] = set()
        # For each open group: how often the most repeated thing in it is, and in what stood last.
        self._repeated = [[1, 1]]

    def rewritten(self) -> str:
        while self._at < len(self._pattern):
            self._next(self._pattern[self._at])
        return "".join(self._written)

    def _next(self, character: str) -> None:
        if self._pattern.startswith("\\Q", self._at):
            self._literal()
        elif character == "\\":
            self._escape()
            self._stood(1)
        elif character == "}":
            self._written.append("\\}")
            self._at += 1
            self._stood(1)
        elif character == "[":
            self._class()
        elif character == "(":
            self._group()
        elif character == ")":
            self._take(1)
            inside = self._repeated.pop() if len(self._repeated) > 1 else [1, 1]
            self._stood(inside[0])
        elif character == "{":
            self._repeat()
        else:
            self._take(1)
            if character not in "*+?":
                self._stood(1)

    def _take(self, count: int) -> None:
        self._written.append(self._pattern[self._at : self._at + count])
        self._at += count

    def _stood(self, repeated: int) -> None:
        group = self._repeated[-1]
        group[0], group[1] = max(group[0], repeated), repeated

    def _escape(self) -> None:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter.isascii() and letter.isalpha() and letter not in _ESCAPED_LETTERS:
            raise Refusal(f"\\{letter} means nothing in a pattern")
        found = _LONG_ESCAPE.match(self._pattern, self._at)
        self._take(len(found[0]) if found else 2)

    def _literal(self) -> None:
        end = self._pattern.find("\\E", self._at)
        end = len(self._pattern) if end < 0 else end
        self._written.append(str(SPRIG["regexQuoteMeta"](self._pattern[self._at + 2 : end])))
        self._at = end + 2
        self._stood(1)

    def _class(self) -> None:
        start = self._at
        self._take(2 if self._pattern.startswith("[^", start) else 1)
        if self._pattern.startswith("]", self._at):
            self._written.append("\\]")
            self._at += 1
        while self._at < len(self._pattern) and self._pattern[self._at] != "]":
            named = _CLASS.match(self._pattern, self._at)
            if named and named[1] not in _CLASSES:
                raise Refusal(f"there is no class {named[0]} of characters")
            if named:
                self._take(len(named[0]))
            elif self._pattern[self._at] == "\\":
                self._escape()
            else:
                # Python's own patterns warn that some of these may mean more one day.
                self._written.append("\\" if self._pattern[self._at] in "[&|~" else "")
                self._take(1)
        self._take(1)
        self._stood(1)

    def _group(self) -> None:
        named = _NAMED.match(self._pattern, self._at)
        if named and named[1] in self._names:
            # Two groups may share a name; what asks for it gets the first.
            self._written.append("(")
            self._at = named.end()
        else:
            self._names |= {named[1]} if named else set()
            self._take(1)
        self._repeated.append([1, 1])

    def _repeat(self) -> None:
        found = _REPEAT.match(self._pattern, self._at)
        if found is None:
            self._written.append("\\{")
            self._at += 1
            self._stood(1)
            return
        least, most = int(found[1][:9]), int(found[3][:9] or 0)
        times = max(most, least, 1)
        group = self._repeated[-1]
        if times * group[1] > _MOST_REPEATED:
            raise Refusal(f"{found[0]} repeats too much")
        self._stood(times * group[1])
        self._take(len(found[0]))


def _named(name: str) -> Any:
    def answered(pattern: str, text: str, *others: Any) -> Any:
        rewritten = _Reader(pattern).rewritten()
        # One that is no pattern is refused, also where nothing is looked for.
        unwrap_function_result(SPRIG["mustRegexMatch"](rewritten, ""))
        return unwrap_function_result(SPRIG[name](rewritten, text, *others))

    return answered


def matches(pattern: str, text: str) -> bool:
    """What is no pattern matches nothing."""
    try:
        return bool(SPRIG["regexMatch"](_Reader(pattern).rewritten(), text))
    except Refusal:
        return False


def split(pattern: str, text: str, count: int) -> Any:
    """Of an empty text there is one empty part, unless the pattern is empty too."""
    parts = _named("mustRegexSplit")(pattern, text, count)
    return [""] if not text and pattern and count else parts


FUNCTIONS = {
    **{
        name: _named(name)
        for name in (
            *("mustRegexMatch", "regexFind", "mustRegexFind", "regexFindAll", "mustRegexFindAll"),
            *("regexReplaceAll", "mustRegexReplaceAll"),
            *("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral"),
        )
    },
    "regexMatch": matches,
    "regexSplit": split,
    "mustRegexSplit": split,
}
