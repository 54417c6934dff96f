"""Reading YAML that a stranger wrote: what is not plain, small and unambiguous is refused."""

import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from adapters.yaml.scalars import Meaningless, Scalar, meaning, short

MAX_BYTES = 2**20
MAX_DEPTH = 50
MAX_VALUES = 100_000
"""Scalars, lists and mappings of one text together: twenty times the largest manifest we know."""

_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
}
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


class YamlFault(ValueError):
    """Why a text is refused: the sentence, and the line and column it points to (from 1)."""

    def __init__(self, detail: str, line: int | None = None, column: int | None = None) -> None:
        place = "" if line is None else f"line {line}, column {column}: "
        super().__init__(f"{place}{detail}")
        self.detail = detail
        self.line = line
        self.column = column


def read_yaml(text: str | bytes) -> list[Any]:
    """The documents of the text, without the empty ones, as values that JSON can hold.

    Scalars follow the core schema of YAML 1.2. Refused with YamlFault: more than 1 MiB, 50 levels
    or 100,000 values; anchors, aliases, merge keys, tags of other types; a key twice or not a text;
    NUL; numbers that do not fit or that readers disagree about. Takes time and memory in
    proportion to what was read so far, so a bomb costs no more than its first refused line.
    """
    checked = _checked(text)
    try:
        return _Documents(checked).read()
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(checked, error) from None
    except yaml.YAMLError as error:
        raise YamlFault(str(error)) from None


def _checked(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise YamlFault(f"the text has {size:,} bytes, more than the {MAX_BYTES:,} allowed")
    decoded = _decoded(text) if isinstance(text, bytes) else text
    if found := _FORBIDDEN.search(decoded):
        raise _fault_at(decoded, found.start(), _refused_character(found.group()))
    return decoded


def _refused_character(character: str) -> str:
    """Also the line ends of YAML 1.1 that 1.2 does not know: readers disagree about them."""
    hint = "" if character == "\0" else ": write it as an escape, in double quotes"
    return f"the character U+{ord(character):04X} is not allowed{hint}"


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        start = text[: error.start].decode()
        detail = f"byte 0x{text[error.start]:02x} is not UTF-8"
        raise _fault_at(start, len(start), detail) from None


def _fault_at(text: str, offset: int, detail: str) -> YamlFault:
    line_start = text.rfind("\n", 0, offset) + 1
    return YamlFault(detail, text.count("\n", 0, offset) + 1, offset - line_start + 1)


class _Documents:
    """One pass over the parser's events, building values as they come."""

    def __init__(self, text: str) -> None:
        self._parser = yaml.CSafeLoader(text)
        self._values = 0

    def read(self) -> list[Any]:
        try:
            return self._documents()
        finally:
            self._parser.dispose()

    def _documents(self) -> list[Any]:
        documents = []
        self._next()
        while not isinstance(start := self._next(), StreamEndEvent):
            _check_version(start)
            if (document := self._value(self._next(), 1)) is not None:
                documents.append(document)
            self._next()
        return documents

    def _next(self) -> Event:
        event = self._parser.get_event()
        assert event is not None
        return event

    def _value(self, event: Event, depth: int) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _fault(event, f"the text has more than {MAX_VALUES:,} values")
        if isinstance(event, AliasEvent):
            raise _fault(event, f"the alias *{_anchor(event)} is not allowed: write the value out")
        if getattr(event, "anchor", None) is not None:
            raise _fault(
                event, f"the anchor &{_anchor(event)} is not allowed: nothing may refer to it"
            )
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if depth > MAX_DEPTH:
            raise _fault(event, f"the text is nested more than {MAX_DEPTH} levels deep")
        return self._collection(event, depth)

    def _collection(self, event: Event, depth: int) -> Any:
        if isinstance(event, SequenceStartEvent):
            _check_tag(event, event.tag, "seq")
            return self._sequence(depth)
        if isinstance(event, MappingStartEvent):
            _check_tag(event, event.tag, "map")
            return self._mapping(depth)
        raise _fault(event, "a value was expected here")

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event, depth)
            if key in entries:
                raise _fault(event, f"the key {short(key)} is there twice")
            entries[key] = self._value(self._next(), depth + 1)
        return entries

    def _key(self, event: Event, depth: int) -> str:
        if isinstance(event, (SequenceStartEvent, MappingStartEvent)):
            raise _fault(event, "a key must be a text, not a list or a mapping")
        key = self._value(event, depth)
        if not isinstance(key, str):
            shown = getattr(event, "value", "") or "an empty one"
            raise _fault(event, f"a key must be a text, and {shown} is not one: put it in quotes")
        if key == "<<" and _is_plain(event):
            raise _fault(event, "the merge key << is not allowed: write the keys out")
        return key


def _is_plain(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.style in (None, "")


def _anchor(event: Event) -> str:
    return short(str(getattr(event, "anchor", "")))


def _scalar(event: ScalarEvent) -> Scalar:
    if "\0" in event.value:
        raise _fault(event, "the character U+0000 is not allowed")
    if event.tag is None:
        return _meaning(event) if event.implicit[0] else event.value
    return _tagged(event, event.tag)


def _meaning(event: ScalarEvent) -> Scalar:
    try:
        return meaning(event.value)
    except Meaningless as error:
        raise _fault(event, str(error)) from None


def _tagged(event: ScalarEvent, tag: str) -> Scalar:
    name = tag.removeprefix(_TAG)
    if tag == "!" or name == "str":
        return event.value
    if not tag.startswith(_TAG) or name not in _TYPES:
        raise _fault(event, f"the tag {_shown(tag)} is not allowed")
    value = _meaning(event)
    if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and name != "bool"):
        raise _fault(event, f"{short(event.value)} is not of the type that its tag !!{name} says")
    return float(value) if name == "float" and isinstance(value, int) else value


def _check_tag(event: Event, tag: str | None, expected: str) -> None:
    if tag not in (None, "!", _TAG + expected):
        raise _fault(event, f"the tag {_shown(str(tag))} is not allowed")


def _shown(tag: str) -> str:
    return short(tag.replace(_TAG, "!!", 1))


def _check_version(event: Event) -> None:
    version = event.version if isinstance(event, DocumentStartEvent) else None
    if version not in (None, (1, 2)):
        raise _fault(event, "only YAML 1.2 is read: leave the %YAML line out")


def _fault(event: Event, detail: str) -> YamlFault:
    return _fault_there(event.start_mark, detail)


def _fault_there(mark: Any, detail: str) -> YamlFault:
    return YamlFault(detail, mark.line + 1, mark.column + 1) if mark else YamlFault(detail)


def _syntax_fault(text: str, error: yaml.MarkedYAMLError) -> YamlFault:
    """The parser's own words; at the end of the text it points a line too far."""
    mark = error.problem_mark or error.context_mark
    detail = _plainer(text, error)
    if mark is None:
        return YamlFault(detail)
    if mark.index >= len(text):
        return _fault_at(text, len(text.rstrip()), detail)
    return _fault_there(mark, detail)


def _plainer(text: str, error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "the text is not YAML"
    mark, context = error.problem_mark, error.context_mark
    if problem.startswith("mapping values are not allowed"):
        return 'a key is not allowed here: put a value that holds ": " in quotes'
    if problem == "found character that cannot start any token" and mark is not None:
        return _misplaced(text[mark.index : mark.index + 1])
    if error.context and context is not None and mark is not None and context.line < mark.line:
        return f"{problem}, {error.context} that starts in line {context.line + 1}"
    return problem


def _misplaced(character: str) -> str:
    if character == "\t":
        return "a tab cannot indent: use spaces"
    return f"a value cannot start with {character}: put it in quotes"
