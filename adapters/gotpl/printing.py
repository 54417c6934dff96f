"""How Go writes values as they are: `print`, `println` and what stands in an action by itself."""

from typing import Any

from adapters.gotpl.directives import PLAIN
from adapters.gotpl.verbs import written


def printed(*values: Any) -> str:
    """`print`: a space stands between two values of which neither is a string."""
    pieces: list[str] = []
    was_text = True
    for value in values:
        is_text = isinstance(value, str)
        if pieces and not is_text and not was_text:
            pieces.append(" ")
        pieces.append(plain(value))
        was_text = is_text
    return "".join(pieces)


def printed_line(*values: Any) -> str:
    """`println`: a space stands between all of them."""
    return " ".join([plain(value) for value in values]) + "\n"


def plain(value: Any) -> str:
    if type(value) is str:
        return value
    return written(value, "v", PLAIN)
