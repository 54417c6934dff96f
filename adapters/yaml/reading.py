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

from adapters.yaml.faults import YamlFault, fault_at, fault_of, syntax_fault
from adapters.yaml.scalars import Meaningless, Scalar, meaning

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "YamlFault", "read_yaml"]

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


def read_yaml(text: str | bytes) -> list[Any]:
    """The documents of the text, without the empty ones, as values that JSON can hold.

    Scalars follow the core schema of YAML 1.2. Refused with YamlFault: more than 1 MiB, 50 levels
    or 100,000 values; anchors, aliases, merge keys, tags of other types; a key twice or not a text;
    NUL; numbers that do not fit or that readers disagree about. Nothing is read beyond the first
    fault, and nothing is ever copied, so a bomb costs no more than its own length.
    """
    checked = _checked(text)
    try:
        return _Documents(checked).read()
    except yaml.YAMLError as error:
        raise syntax_fault(checked, error) from None


def _checked(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise YamlFault(f"the text has {size:,} bytes, more than the {MAX_BYTES:,} allowed")
    decoded = _decoded(text) if isinstance(text, bytes) else text
    if found := _FORBIDDEN.search(decoded):
        raise fault_at(decoded, found.start(), _forbidden(found.group()))
    return decoded


def _forbidden(character: str) -> str:
    """Also the line ends of YAML 1.1 that 1.2 does not know: readers disagree about them."""
    hint = "" if character == "\0" else ": write it as an escape, in double quotes"
    return f"the character U+{ord(character):04X} is not allowed{hint}"


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        start = text[: error.start].decode()
        detail = f"byte 0x{text[error.start]:02x} is not UTF-8"
        raise fault_at(start, len(start), detail) from None


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
            raise fault_of(event, f"the text has more than {MAX_VALUES:,} values")
        _check_anchor(event)
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if depth > MAX_DEPTH:
            raise fault_of(event, f"the text is nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, SequenceStartEvent):
            _check_tag(event, event.tag, "seq")
            return self._sequence(depth)
        assert isinstance(event, MappingStartEvent)
        _check_tag(event, event.tag, "map")
        return self._mapping(depth)

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
                raise fault_of(event, "the key {} is there twice", key)
            entries[key] = self._value(self._next(), depth + 1)
        return entries

    def _key(self, event: Event, depth: int) -> str:
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            raise fault_of(event, "a key must be a text, not a list or a mapping")
        key = self._value(event, depth)
        assert isinstance(event, ScalarEvent)
        if not isinstance(key, str):
            shown = event.value or "nothing"
            raise fault_of(event, "a key must be a text, and {} is not: put it in quotes", shown)
        if key == "<<" and event.implicit[0]:
            raise fault_of(event, "the merge key << is not allowed: write the keys out")
        return key


def _scalar(event: ScalarEvent) -> Scalar:
    if "\0" in event.value:
        raise fault_of(event, "the character U+0000 is not allowed")
    if event.tag is None:
        return _meaning(event) if event.implicit[0] else event.value
    return _tagged(event, event.tag)


def _meaning(event: ScalarEvent) -> Scalar:
    try:
        return meaning(event.value)
    except Meaningless as error:
        raise fault_of(event, f"{{}} {error}", event.value) from None


def _tagged(event: ScalarEvent, tag: str) -> Scalar:
    name = tag.removeprefix(_TAG)
    if tag == "!" or name == "str":
        return event.value
    if not tag.startswith(_TAG) or name not in _TYPES:
        raise _tag_fault(event, tag)
    value = _meaning(event)
    if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and name != "bool"):
        raise fault_of(event, f"{{}} is not of the type that its tag !!{name} says", event.value)
    return float(value) if name == "float" and isinstance(value, int) else value


def _check_tag(event: Event, tag: str | None, expected: str) -> None:
    if tag not in (None, "!", _TAG + expected):
        raise _tag_fault(event, str(tag))


def _tag_fault(event: Event, tag: str) -> YamlFault:
    return fault_of(event, "the tag {} is not allowed", tag.replace(_TAG, "!!", 1))


def _check_anchor(event: Event) -> None:
    anchor = getattr(event, "anchor", None)
    if isinstance(event, AliasEvent):
        raise fault_of(event, "the alias *{} is not allowed: write the value out", str(anchor))
    if anchor is not None:
        raise fault_of(event, "the anchor &{} is not allowed: nothing may refer to it", anchor)


def _check_version(event: Event) -> None:
    version = event.version if isinstance(event, DocumentStartEvent) else None
    if version not in (None, (1, 2)):
        raise fault_of(event, "only YAML 1.2 is read: leave the %YAML line out")
