"""What a plain YAML scalar means: the core schema of YAML 1.2, and where other readers disagree."""

import math
import re

import yaml

Scalar = str | int | float | bool | None

LOWEST, HIGHEST = -(2**63), 2**64 - 1
"""The integers that JSON's readers and the database hold exactly."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_OTHER_OCTAL = re.compile(r"[-+]?0[0-9]+")
_NOT_TEXT_ELSEWHERE = re.compile(
    r"[yYnN]|<<|=|[-+]?0[bB][01_]+|[-+]?0[oO][0-7_]+|[-+]?0[xX][0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?"
)
_MAY_MEAN_SOMETHING = frozenset("0123456789+-.~nNtTfF")
_LONGEST_NUMBER = 400


class Meaningless(ValueError):
    """Why a plain scalar that looks like a number is none, said as of "it"."""


def meaning(text: str) -> Scalar:
    """The value of a plain scalar. Raises Meaningless."""
    if text and text[0] not in _MAY_MEAN_SOMETHING:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    return _number(text)


def _number(text: str) -> Scalar:
    if _OTHER_OCTAL.fullmatch(text):
        raise Meaningless(
            "is octal to some readers and decimal to others: "
            "write it without leading zeros, as 0o..., or in quotes"
        )
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise Meaningless("is not a number that JSON can hold: put it in quotes")
    return text


def _integer(text: str) -> int:
    number = int(text, _base(text)) if len(text) <= _LONGEST_NUMBER else HIGHEST + 1
    if not LOWEST <= number <= HIGHEST:
        raise Meaningless("does not fit into 64 bits: put it in quotes")
    return number


def _base(text: str) -> int:
    return {"0o": 8, "0x": 16}.get(text[:2], 10)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Meaningless("is too large for a number: put it in quotes")
    return number


def is_text_to_everyone(text: str) -> bool:
    """Whether readers of YAML 1.1 and of 1.2 alike take this plain scalar as a text."""
    if _NOT_TEXT_ELSEWHERE.fullmatch(text):
        return False
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ())
    if any(pattern.match(text) for _, pattern in resolvers):
        return False
    try:
        return isinstance(meaning(text), str)
    except Meaningless:
        return False
