"""What gotpl's errors say to the author of a template."""

import re
from collections.abc import Callable, Mapping

from gotpl.errors import TemplateExecutionError, TemplateSyntaxError

from adapters.gotpl.functions import Told, why_not_there

_LONGEST = 10_000
"""The parent shortens it again, once no secret is in it."""

Known = Mapping[str, object]


def sentence_about(error: Exception, known: Known) -> str:
    """A sentence for people; `known` are the functions there are."""
    if isinstance(error.__cause__, Told):
        return _shortened(str(error.__cause__))
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return "is nested too deep"
    return _shortened(_reworded(_words(error), known))


def _words(error: Exception) -> str:
    if isinstance(error, TemplateSyntaxError):
        return str(error).removeprefix(f"template:{error.line}:{error.column}: ")
    if isinstance(error, TemplateExecutionError):
        return error.message
    return f"{type(error).__name__}: {error}"


_REWORDED: list[tuple[re.Pattern[str], Callable[[re.Match[str], Known], str]]] = [
    (
        re.compile(r"function '(\w+)' (?:is )?not defined"),
        lambda found, known: why_not_there(found[1], known),
    ),
    (
        re.compile(r"function '(\w+)' failed: (.*)", re.DOTALL),
        lambda found, _: f"the function {found[1]} failed: {found[2]}",
    ),
    (
        re.compile(r"missing key or attribute '(.*)'", re.DOTALL),
        lambda found, _: f"there is no {found[1]} in this value",
    ),
    (
        re.compile(r"(?:attribute|property|method) '(.*)' is not allowed", re.DOTALL),
        lambda found, _: f"there is no {found[1]} in this value",
    ),
    (
        re.compile(r"template-depth budget exceeded: limit (\d+),.*"),
        lambda found, _: f"templates call each other more than {found[1]} levels deep",
    ),
    (
        re.compile(r"template '(.*)' is not defined", re.DOTALL),
        lambda found, _: f"there is no template {found[1]}",
    ),
    (
        re.compile(r"unexpected EOF"),
        lambda _, __: "the source ends before {{ end }}",
    ),
]


def _reworded(words: str, known: Known) -> str:
    for pattern, sentence in _REWORDED:
        if found := pattern.fullmatch(words):
            return sentence(found, known)
    return words


def _shortened(sentence: str) -> str:
    return sentence[:_LONGEST]
