"""Writing YAML in block style so that every reader, of version 1.1 or 1.2, reads the same back."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from adapters.yaml.scalars import is_text_to_everyone

_NO_FOLDING = -1


def write_yaml(documents: Iterable[Any]) -> str:
    """The documents with `---` between them, keys in their order; the empty text when none."""
    return str(
        yaml.emit(
            _events(documents), Dumper=yaml.CSafeDumper, allow_unicode=True, width=_NO_FOLDING
        )
    )


def _events(documents: Iterable[Any]) -> Iterator[Event]:
    yield StreamStartEvent()
    for number, document in enumerate(documents):
        yield DocumentStartEvent(explicit=number > 0)
        yield from _value(document)
        yield DocumentEndEvent(explicit=False)
    yield StreamEndEvent()


def _value(value: Any) -> Iterator[Event]:
    match value:
        case str():
            yield _text(value)
        case Mapping():
            yield from _mapping(value)
        case Sequence():
            yield from _sequence(value)
        case _:
            yield ScalarEvent(None, None, (True, False), _plain(value))


def _mapping(entries: Mapping[str, Any]) -> Iterator[Event]:
    yield MappingStartEvent(None, None, True, flow_style=False)
    for key, value in entries.items():
        yield _text(key)
        yield from _value(value)
    yield MappingEndEvent()


def _sequence(items: Sequence[Any]) -> Iterator[Event]:
    yield SequenceStartEvent(None, None, True, flow_style=False)
    for item in items:
        yield from _value(item)
    yield SequenceEndEvent()


def _text(text: str) -> ScalarEvent:
    style = "|" if "\n" in text else None
    return ScalarEvent(None, None, (is_text_to_everyone(text), True), text, style=style)


def _plain(value: float | bool | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
    return str(value)


def _float(value: float) -> str:
    """With a point also beside an exponent: without one, readers of YAML 1.1 see a text."""
    if not math.isfinite(value):
        return repr(value).replace("inf", ".inf").replace("nan", ".nan")
    text = repr(value)
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text
