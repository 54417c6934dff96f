"""What a template can call: of Go's, sprig's and Helm's functions those that always answer alike.

The same values must give the same text whenever they are rendered: a render is repeated to show
what changed, and a certificate that is new each time would be a change each time.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from gotpl.exts.helm.runtime import HelmExtension
from gotpl.funcs.sprig import hermetic_text_func_map, text_func_map
from gotpl.parse.semantic import BUILTIN_FUNCTIONS
from gotpl.runtime.callables import PreparedFunctionRegistry
from gotpl.runtime.results import FunctionResult
from gotpl.runtime.values import INVALID, UNTYPED_NIL

from adapters.yaml.writing import write_yaml

_CHANGING = frozenset(
    {
        *("ago", "durationRound", "randInt", "shuffle"),
        *("bcrypt", "encryptAES", "htpasswd", "genPrivateKey", "genCA", "genCAWithKey"),
        *("genSelfSignedCert", "genSelfSignedCertWithKey"),
        *("genSignedCert", "genSignedCertWithKey"),
    }
)
"""Hermetic to gotpl, and yet of the clock or of chance."""

_HEAVY = frozenset({"buildCustomCert", "decryptAES"})
"""They load a library of their own when they are called, when nothing can be loaded any more."""

_FROM_HELM = ("include", "fromYaml", "fromYamlArray", "fromJsonArray")


def functions() -> PreparedFunctionRegistry:
    """All of them, inspected once."""
    chosen: dict[str, Callable[..., object]] = {
        name: function
        for name, function in hermetic_text_func_map().items()
        if name not in _CHANGING | _HEAVY
    }
    helm = HelmExtension().functions
    chosen |= {name: helm[name] for name in _FROM_HELM}
    chosen |= {"toYaml": _to_yaml, "required": _required, "fail": _fail}
    return PreparedFunctionRegistry(chosen)


class Told(Exception):
    """A sentence that the template's author wrote for those who fill it in."""


def why_not_there(name: str, known: Mapping[str, object]) -> str:
    """What to tell who calls a function that is not offered."""
    if name in _HEAVY:
        return f"the function {name} is not offered"
    if name in text_func_map():
        return (
            f"the function {name} is not offered, "
            "because the same values must always give the same text"
        )
    nearest = get_close_matches(name, [*known, *BUILTIN_FUNCTIONS], n=1)
    hint = f": did you mean {nearest[0]}?" if nearest else ""
    return f"there is no function {name}{hint}"


def _to_yaml(value: object) -> str:
    """Block style with sorted keys, as Go marshals maps."""
    return write_yaml([_plain(value)]).removesuffix("\n")


def _plain(value: object) -> Any:
    if value is INVALID or value is UNTYPED_NIL:
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _required(message: str, value: object) -> object:
    if value is None or value is INVALID or value == "":
        return FunctionResult.failure(Told(message))
    return value


def _fail(message: str) -> object:
    return FunctionResult.failure(Told(message))
