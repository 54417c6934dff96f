"""What is said to the author of a template about why it does not render."""

from collections.abc import Mapping
from difflib import get_close_matches

from adapters.gotpl.faults import ExecutionFault, FunctionFault, UnknownFunction, UnknownValue
from adapters.gotpl.functions import Told, why_not_there

_LONGEST = 10_000
"""The parent shortens it again, once no secret is in it."""


def sentence_about(error: BaseException, known: Mapping[str, object]) -> str:
    """A sentence for people; `known` are the functions there are."""
    match error:
        case UnknownFunction(name=name):
            sentence = why_not_there(name, known)
        case UnknownValue(name=name, names=None):
            sentence = f"there is no {name} in this value"
        case UnknownValue(name=name, names=frozenset() as names):
            nearest = get_close_matches(name, names, n=1)
            hint = f": did you mean {nearest[0]}?" if nearest else ""
            sentence = f"there is no value {name}{hint}"
        case FunctionFault(name=name, __cause__=cause) if cause is not None:
            sentence = _of_function(name, cause)
        case RecursionError():
            sentence = "is nested too deep"
        case ExecutionFault():
            sentence = str(error)
        case _:
            sentence = str(error) or type(error).__name__
    return sentence[:_LONGEST]


def _of_function(name: str, cause: BaseException) -> str:
    match cause:
        case Told():
            return str(cause)
        case RecursionError():
            return "is nested too deep"
        case OverflowError() | AttributeError():
            # Python's own words, which tell nothing to an author.
            return f"the function {name} failed: it cannot work with values like these"
    return f"the function {name} failed: {cause}"
