"""Hints for a misspelt name, and the name's place in a JSON pointer."""

from collections.abc import Collection
from difflib import get_close_matches


def did_you_mean(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name[:100], known, n=1)
    return f": did you mean {nearest[0]}?" if nearest else ""


def escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
