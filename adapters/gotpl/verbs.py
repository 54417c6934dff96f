"""Values of every kind by the verbs of `printf`."""

from collections.abc import Mapping, Sequence
from typing import Any

from gotime.go import Month, Time, Weekday

from adapters.gotpl import numerals
from adapters.gotpl.directives import Directive
from adapters.gotpl.kinds import is_nil, is_nothing, type_of
from adapters.gotpl.texts import text
from adapters.gotpl.versions import Version

_SPEAKS_FOR_ITSELF = (Version, Time, Month, Weekday)


def written(value: Any, verb: str, how: Directive, *, is_inner: bool = False) -> str:
    """What Go writes; where the verb is not for the value, that says so."""
    if is_nothing(value):
        return _nothing(verb, how, is_inner=is_inner)
    if verb == "T":
        return how.padded(how.cut(type_of(value)))
    if verb == "p":
        return _misused(value, verb, how)
    shown = _single(value, verb, how)
    if shown is not None:
        return shown
    match value:
        case Mapping():
            return _map(value, verb, how)
        case list() | tuple():
            return _list(value, verb, how)
    return _misused(value, verb, how)


def _misused(value: Any, verb: str, how: Directive) -> str:
    return f"%!{verb}({type_of(value)}={written(value, 'v', how)})"


def _nothing(verb: str, how: Directive, *, is_inner: bool) -> str:
    if is_inner:
        return "interface {}(nil)" if how.is_syntax(verb) else "<nil>"
    return how.padded("<nil>") if verb in "Tv" else f"%!{verb}(<nil>)"


def _single(value: Any, verb: str, how: Directive) -> str | None:
    """None where the verb is not for the value, or the value holds others."""
    if isinstance(value, _SPEAKS_FOR_ITSELF) and verb in "vsxXq" and not how.is_syntax(verb):
        return text(str(value), verb, how)
    match value:
        case bool():
            return how.padded(str(value).lower()) if verb in "tv" else None
        case int():
            return numerals.whole(value, verb, how)
        case float():
            return numerals.real(value, verb, how)
        case complex():
            return numerals.complex_(value, verb, how)
        case str():
            return text(value, verb, how)
    return None


def _map(value: Mapping[Any, Any], verb: str, how: Directive) -> str:
    pieces = []
    for key in sorted(value, key=str):
        inner = written(value[key], verb, how, is_inner=True)
        pieces.append(f"{written(key, verb, how, is_inner=True)}:{inner}")
    if how.is_syntax(verb):
        return f"{type_of(value)}{{{', '.join(pieces)}}}"
    return f"map[{' '.join(pieces)}]"


def _list(value: Sequence[Any], verb: str, how: Directive) -> str:
    pieces = [written(item, verb, how, is_inner=True) for item in value]
    if not how.is_syntax(verb):
        return f"[{' '.join(pieces)}]"
    if is_nil(value):
        return f"{type_of(value)}(nil)"
    return f"{type_of(value)}{{{', '.join(pieces)}}}"
