"""JSON and YAML as sprig and Helm read and write them.

What is no map or no list as YAML is told in the value itself, as Helm does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gotime.go import Time
from gotpl.funcs.helm.functions import load_yaml
from yaml import YAMLError

from adapters.gotpl.kinds import is_whole
from adapters.gotpl.printing import plain
from adapters.gotpl.sprig import SPRIG
from adapters.gotpl.versions import Version
from adapters.yaml.writing import write_yaml


def _to_json(name: str) -> Callable[[Any], Any]:
    def answered(value: Any) -> Any:
        return SPRIG[name](_spoken(value))

    return answered


def _spoken(value: Any) -> Any:
    """Times and versions speak for themselves."""
    if isinstance(value, Time):
        return value.format("2006-01-02T15:04:05.999999999Z07:00")
    if isinstance(value, Version):
        return str(value)
    if value and isinstance(value, list | tuple):
        return [_spoken(item) for item in value]
    if value and isinstance(value, dict):
        return {key: _spoken(item) for key, item in value.items()}
    return value


def to_yaml(value: object) -> str:
    """Block style with sorted keys, as Go marshals maps."""
    return write_yaml([_plain(value)]).removesuffix("\n")


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def from_yaml(text: str) -> dict[str, Any]:
    value = _loaded(text)
    if value is None or isinstance(value, dict):
        return value or {}
    return {"Error": value if isinstance(value, Unreadable) else "this YAML is no map"}


def from_yaml_array(text: str) -> list[Any]:
    value = _loaded(text)
    if value is None or isinstance(value, list):
        return value or []
    return [value if isinstance(value, Unreadable) else "this YAML is no list"]


class Unreadable(str):
    """Why a text is no YAML."""

    __slots__ = ()


def _loaded(text: str) -> Any:
    try:
        return _as_json(load_yaml(text))
    except (YAMLError, ValueError) as error:
        return Unreadable(error)


def _as_json(value: Any) -> Any:
    """Go reads YAML by way of JSON: numbers are reals then, and keys are strings."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else plain(key): _as_json(value[key]) for key in value}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return float(value) if is_whole(value) else value


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{
        name: _to_json(name)
        for name in (
            *("toJson", "toPrettyJson", "toRawJson"),
            *("mustToJson", "mustToPrettyJson", "mustToRawJson"),
        )
    },
    "toYaml": to_yaml,
    "fromYaml": from_yaml,
    "fromYamlArray": from_yaml_array,
}
