"""What times and versions can be asked with a point: `(semver "1.2.3").Major`."""

from collections.abc import Callable, Mapping
from typing import Any

from gotime.go import Time

from adapters.gotpl.kinds import Int64
from adapters.gotpl.signatures import Signature
from adapters.gotpl.versions import Version

Method = tuple[str, Callable[..., Any]]

_OF_VERSIONS: Mapping[str, Method] = {
    "Major": ("", lambda version: version.major),
    "Minor": ("", lambda version: version.minor),
    "Patch": ("", lambda version: version.patch),
    "Prerelease": ("", lambda version: version.before),
    "Metadata": ("", lambda version: version.metadata),
    "Original": ("", lambda version: version.original),
    "String": ("", str),
    "IncMajor": ("", Version.next_major),
    "IncMinor": ("", Version.next_minor),
    "IncPatch": ("", Version.next_patch),
    "Compare": ("version", Version.compare),
    "Equal": ("version", lambda version, other: version == other),
    "GreaterThan": ("version", lambda version, other: version > other),
    "GreaterThanEqual": ("version", lambda version, other: version >= other),
    "LessThan": ("version", lambda version, other: version < other),
    "LessThanEqual": ("version", lambda version, other: version <= other),
}

_OF_TIMES: Mapping[str, Method] = {
    "Format": ("string", Time.format),
    "String": ("", str),
    "Unix": ("", lambda time: Int64(time.unix())),
    "Year": ("", lambda time: time.year),
    "YearDay": ("", lambda time: time.year_day),
    "Month": ("", lambda time: time.month),
    "Day": ("", lambda time: time.day),
    "Weekday": ("", lambda time: time.weekday),
    "Hour": ("", lambda time: time.hour),
    "Minute": ("", lambda time: time.minute),
    "Second": ("", lambda time: time.second),
    "IsZero": ("", Time.is_zero),
    "UTC": ("", Time.utc),
    "Equal": ("time", Time.equal),
    "Before": ("time", Time.before),
    "After": ("time", Time.after),
    "Compare": ("time", Time.compare),
}


def method_of(value: Any, name: str) -> Signature | None:
    """Bound to the value, as a template calls it."""
    methods = _OF_VERSIONS if isinstance(value, Version) else _OF_TIMES
    if not isinstance(value, Version | Time) or name not in methods:
        return None
    written, function = methods[name]
    return Signature.of(written, lambda *arguments: function(value, *arguments))
