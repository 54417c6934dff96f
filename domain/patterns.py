"""Regular expressions that strangers write, matched in steps that are counted.

Python's `re` tries one way after the other: `^(a+)+$` against forty letters takes longer than
anybody waits, and nothing can interrupt it. Here all ways are followed at once, one
character after the other: by pydantic's engine (Rust's `regex`, which is linear), and where a
pattern looks ahead, which that engine cannot, by Thompson's construction below. A count of steps
bounds what is left: large patterns on long values.

The language is what `re` and JavaScript share: literals, classes, groups, alternatives, repetition,
anchors and lookahead. `$` is the end of the value, never before a last line feed, and the classes
`\\d \\w \\s` are ASCII. Not there: references to groups, lookbehind, flags, possessive repetition.
"""

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from re import _parser  # type: ignore[attr-defined]  # The only parser of this syntax there is.
from string import ascii_letters, digits
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

MAX_LENGTH = 500
MAX_INSTRUCTIONS = 2_000
MAX_INSTRUCTIONS_OF_SCHEMA = 10_000
"""To compile so many takes about 60 milliseconds."""
MAX_STEPS = 4_000_000
"""Instructions that the engine follows, at most one for each character and instruction of the
pattern; about 25 milliseconds. `^[a-z0-9.-]+$` comes to its end on a mebibyte."""
STEP_OF_OURS = 80
"""What a step costs that is taken here, in steps of the engine."""

_WORD = frozenset(ascii_letters + digits + "_")
_DIGITS = frozenset(digits)
_SPACES = frozenset(" \t\n\r\f\v")
_UNBOUNDED = int(_parser.MAXREPEAT)
_DEFAULT_FLAGS = int(re.UNICODE)

Accepts = Callable[[str], bool]
Holds = Callable[[str, int], bool]


class PatternFault(ValueError):
    """Why a pattern cannot be used, in a sentence."""


class TooManySteps(Exception):
    """The value is too long for the pattern, or the values together are."""


class Steps:
    """The steps that are left for all searches of one request, and the room for its patterns."""

    def __init__(self, limit: int = MAX_STEPS) -> None:
        self._left = limit
        self._room = MAX_INSTRUCTIONS_OF_SCHEMA

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooManySteps

    def compiled(self, source: str) -> "Pattern":
        """A pattern of a schema, whose patterns together are bounded. Raises PatternFault."""
        if self._room < 0:
            raise PatternFault("the patterns of this schema together repeat too much")
        try:
            pattern = Pattern.of(source)
        except PatternFault:
            self._room -= MAX_INSTRUCTIONS // 4
            raise
        self._room -= len(pattern.program)
        return pattern


@dataclass(slots=True, frozen=True)
class _Character:
    accepts: Accepts
    steps: int
    """What one try costs: a class is asked member by member."""


@dataclass(slots=True, frozen=True)
class _Position:
    holds: Holds


@dataclass(slots=True, frozen=True)
class _Ahead:
    program: "_Program"
    expected: bool


@dataclass(slots=True, frozen=True)
class _Fork:
    """Go on at each of the places; one place is a jump."""

    places: tuple[int, ...]


@dataclass(slots=True, frozen=True)
class _Found:
    pass


_Instruction = _Character | _Position | _Ahead | _Fork | _Found
_Program = list[_Instruction]


@dataclass(slots=True, frozen=True)
class Pattern:
    """A pattern ready to be looked for."""

    program: _Program
    engine: SchemaValidator | None = None
    """Finds the same, and is quick; None when the pattern looks ahead."""

    @classmethod
    def of(cls, source: str) -> "Pattern":
        """The pattern of a text. Raises PatternFault."""
        return _compiled(source)

    def is_in(self, text: str, steps: Steps | None = None) -> bool:
        """Whether some part of the text matches. Raises TooManySteps."""
        steps = steps or Steps()
        if self.engine is None:
            return _Search(text, steps).finds(self.program, 0, anywhere=True)
        steps.take(len(self.program) * len(text))
        return self.engine.isinstance_python(text)


@lru_cache(maxsize=256)
def _compiled(source: str) -> Pattern:
    if len(source) > MAX_LENGTH:
        raise PatternFault(f"the pattern has more than {MAX_LENGTH} characters")
    try:
        tree = _parsed(source)
        return Pattern(_Compiler().compiled(tree), _engine(tree))
    except RecursionError:
        raise PatternFault("the pattern is nested too deep") from None


def _parsed(source: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = _parser.parse(source)
        except re.error as error:
            raise PatternFault(_sentence(error)) from None
        except OverflowError:
            raise PatternFault("a repetition count is too large") from None
    if tree.state.flags != _DEFAULT_FLAGS:
        raise PatternFault("flags such as (?i) are not supported")
    return tree


def _sentence(error: re.error) -> str:
    return error.msg if error.pos is None else f"{error.msg} at character {error.pos + 1}"


def _engine(tree: Any) -> SchemaValidator | None:
    """The engine for a tree; None when it cannot say what the tree says."""
    try:
        pattern = _in_rust(tree)
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except (_LooksAhead, SchemaError):
        return None


class _LooksAhead(Exception):
    """The engine knows no lookahead."""


def _in_rust(nodes: Iterable[tuple[Any, Any]]) -> str:
    """A tree as the engine's syntax says exactly the same: nothing is left to its own classes."""
    return "".join(_node_in_rust(str(operation), argument) for operation, argument in nodes)


def _node_in_rust(operation: str, argument: Any) -> str:
    match operation:
        case "LITERAL":
            return f"\\x{{{argument:x}}}"
        case "NOT_LITERAL":
            return f"[^\\x{{{argument:x}}}]"
        case "ANY":
            return r"[^\n]"
        case "IN":
            return f"[{''.join(_member_in_rust(str(kind), item) for kind, item in argument)}]"
        case "AT":
            return _POSITIONS_IN_RUST[str(argument)]
        case "BRANCH":
            return f"(?:{'|'.join(map(_in_rust, argument[1]))})"
        case "SUBPATTERN":
            return f"(?:{_in_rust(argument[-1])})"
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, tree = argument
            counts = f"{least}," if most == _UNBOUNDED else f"{least},{most}"
            return f"(?:{_in_rust(tree)}){{{counts}}}"
    raise _LooksAhead


def _member_in_rust(kind: str, argument: Any) -> str:
    match kind:
        case "NEGATE":
            return "^"
        case "RANGE":
            low, high = argument
            return f"\\x{{{low:x}}}-\\x{{{high:x}}}"
        case "CATEGORY":
            return _CATEGORIES_IN_RUST[str(argument)]
    return f"\\x{{{argument:x}}}"


_CATEGORIES_IN_RUST = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_NOT_DIGIT": "[^0-9]",
    "CATEGORY_WORD": "0-9A-Za-z_",
    "CATEGORY_NOT_WORD": "[^0-9A-Za-z_]",
    "CATEGORY_SPACE": r" \t\n\r\f\v",
    "CATEGORY_NOT_SPACE": r"[^ \t\n\r\f\v]",
}
_POSITIONS_IN_RUST = {
    "AT_BEGINNING": r"\A",
    "AT_BEGINNING_STRING": r"\A",
    "AT_END": r"\z",
    "AT_END_STRING": r"\z",
    "AT_BOUNDARY": r"(?-u:\b)",
    "AT_NON_BOUNDARY": r"(?-u:\B)",
}


class _Compiler:
    """Turns the tree of a pattern into instructions, as few as allowed."""

    def __init__(self, room: int = MAX_INSTRUCTIONS) -> None:
        self._program: _Program = []
        self._room = room

    def compiled(self, tree: Any) -> _Program:
        self._sequence(tree)
        self._put(_Found())
        return self._program

    def _put(self, instruction: _Instruction) -> int:
        self._take(1)
        self._program.append(instruction)
        return len(self._program) - 1

    def _take(self, room: int) -> None:
        self._room -= room
        if self._room < 0:
            raise PatternFault("the pattern repeats too much: use smaller counts")

    def _sequence(self, nodes: Iterable[tuple[Any, Any]]) -> None:
        for operation, argument in nodes:
            self._node(str(operation), argument)

    def _node(self, operation: str, argument: Any) -> None:
        match operation:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                steps = len(argument) if operation == "IN" else 1
                self._put(_Character(_accepts(operation, argument), steps))
            case "AT":
                self._put(_Position(_POSITIONS[str(argument)]))
            case "BRANCH":
                self._alternatives(argument[1])
            case "SUBPATTERN":
                self._group(*argument)
            case "MAX_REPEAT" | "MIN_REPEAT":
                self._repetition(*argument)
            case "ASSERT" | "ASSERT_NOT":
                self._lookahead(*argument, expected=operation == "ASSERT")
            case _:
                raise PatternFault(f"{_NAMES.get(operation, operation)} are not supported")

    def _group(self, _: int | None, added_flags: int, removed_flags: int, tree: Any) -> None:
        if added_flags or removed_flags:
            raise PatternFault("flags such as (?i:...) are not supported")
        self._sequence(tree)

    def _alternatives(self, branches: list[Any]) -> None:
        fork = self._put(_Fork(()))
        starts, ends = [], []
        for branch in branches:
            starts.append(len(self._program))
            self._sequence(branch)
            ends.append(self._put(_Fork(())))
        self._program[fork] = _Fork(tuple(starts))
        self._jump_here(ends)

    def _repetition(self, least: int, most: int, tree: Any) -> None:
        for _ in range(least):
            self._take(1)
            self._sequence(tree)
        if most == _UNBOUNDED:
            self._loop(tree)
        else:
            self._optional(most - least, tree)

    def _loop(self, tree: Any) -> None:
        fork = self._put(_Fork(()))
        self._sequence(tree)
        self._put(_Fork((fork,)))
        self._program[fork] = _Fork((fork + 1, len(self._program)))

    def _optional(self, times: int, tree: Any) -> None:
        forks = []
        for _ in range(times):
            forks.append(self._put(_Fork(())))
            self._sequence(tree)
        for fork in forks:
            self._program[fork] = _Fork((fork + 1, len(self._program)))

    def _lookahead(self, direction: int, tree: Any, *, expected: bool) -> None:
        if direction < 0:
            raise PatternFault("lookbehinds are not supported")
        program = _Compiler(self._room).compiled(tree)
        self._take(len(program))
        self._put(_Ahead(program, expected))

    def _jump_here(self, places: Iterable[int]) -> None:
        for place in places:
            self._program[place] = _Fork((len(self._program),))


_NAMES = {
    "GROUPREF": "references to groups",
    "GROUPREF_EXISTS": "conditions on groups",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive repetitions",
}


def _accepts(operation: str, argument: Any) -> Accepts:
    match operation:
        case "LITERAL":
            literal = chr(argument)
            return lambda character: character == literal
        case "NOT_LITERAL":
            literal = chr(argument)
            return lambda character: character != literal
        case "ANY":
            return lambda character: character != "\n"
    return _class(argument)


def _class(members: list[tuple[Any, Any]]) -> Accepts:
    is_negated = str(members[0][0]) == "NEGATE"
    tests = [_member(str(kind), argument) for kind, argument in members[is_negated:]]
    return lambda character: any(test(character) for test in tests) != is_negated


def _member(kind: str, argument: Any) -> Accepts:
    match kind:
        case "RANGE":
            low, high = map(chr, argument)
            return lambda character: low <= character <= high
        case "CATEGORY":
            return _CATEGORIES[str(argument)]
    return _accepts(kind, argument)


_CATEGORIES: dict[str, Accepts] = {
    "CATEGORY_DIGIT": lambda character: character in _DIGITS,
    "CATEGORY_NOT_DIGIT": lambda character: character not in _DIGITS,
    "CATEGORY_WORD": lambda character: character in _WORD,
    "CATEGORY_NOT_WORD": lambda character: character not in _WORD,
    "CATEGORY_SPACE": lambda character: character in _SPACES,
    "CATEGORY_NOT_SPACE": lambda character: character not in _SPACES,
}


def _at_start(_: str, place: int) -> bool:
    return place == 0


def _at_end(text: str, place: int) -> bool:
    return place == len(text)


def _at_boundary(text: str, place: int) -> bool:
    before = place > 0 and text[place - 1] in _WORD
    after = place < len(text) and text[place] in _WORD
    return before != after


_POSITIONS: dict[str, Holds] = {
    "AT_BEGINNING": _at_start,
    "AT_BEGINNING_STRING": _at_start,
    "AT_END": _at_end,
    "AT_END_STRING": _at_end,
    "AT_BOUNDARY": _at_boundary,
    "AT_NON_BOUNDARY": lambda text, place: not _at_boundary(text, place),
}


class _Search:
    """One value being searched; the steps of all programs on it are counted together."""

    def __init__(self, text: str, steps: Steps) -> None:
        self._text = text
        self._steps = steps
        self._ahead: dict[tuple[int, int], bool] = {}

    def finds(self, program: _Program, start: int, *, anywhere: bool = False) -> bool:
        waiting: list[int] = []
        for place in range(start, len(self._text) + 1):
            begin = [0] if anywhere or place == start else []
            states = self._reached(program, [*waiting, *begin], place)
            if states is None:
                return True
            if not states and not anywhere:
                return False
            waiting = self._after(program, states, place)
        return False

    def _reached(self, program: _Program, begin: list[int], place: int) -> list[int] | None:
        """The characters that may come now; None when the pattern has been found."""
        seen: set[int] = set()
        states, stack = [], begin
        while stack:
            if (at := stack.pop()) in seen:
                continue
            seen.add(at)
            self._steps.take(STEP_OF_OURS)
            match program[at]:
                case _Found():
                    return None
                case _Character():
                    states.append(at)
                case _Fork(places):
                    stack.extend(places)
                case _Position(holds) if holds(self._text, place):
                    stack.append(at + 1)
                case _Ahead() as ahead if self._is_ahead(ahead, place):
                    stack.append(at + 1)
        return states

    def _after(self, program: _Program, states: list[int], place: int) -> list[int]:
        if place == len(self._text):
            return []
        character = self._text[place]
        return [at + 1 for at in states if self._takes(program[at], character)]

    def _takes(self, instruction: _Instruction, character: str) -> bool:
        if not isinstance(instruction, _Character):
            return False
        self._steps.take(instruction.steps * STEP_OF_OURS)
        return instruction.accepts(character)

    def _is_ahead(self, ahead: _Ahead, place: int) -> bool:
        key = (id(ahead), place)
        if key not in self._ahead:
            self._ahead[key] = self.finds(ahead.program, place)
        return self._ahead[key] is ahead.expected
