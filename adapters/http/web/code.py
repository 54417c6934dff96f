"""Code as pages show it: numbered lines, YAML in its colours, faults beside their line."""

import re
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup, escape

TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|$)")
SCALARS = (
    (re.compile(r"(?:true|false|null|~)"), "bool"),
    (re.compile(r"[-+]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?"), "number"),
)
KEY = re.compile(
    r"""(\s*)((?:- +)*)("[^"]*"|'[^']*'|[^\s#'"{\[\]},&*!|>%@`-][^#:]*?|-[^\s#:]+)(:)(?=\s|$)"""
)
DASH = re.compile(r"(\s*)((?:- +)+|-$)")
COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
BLOCK = re.compile(r"(?:^|[:\-] +)[|>][-+0-9]*\s*$")
MAX_COLOURED = 200_000
"""Characters: a longer text is shown plain."""


def yaml_lines(text: str) -> list[Markup]:
    """The lines of a YAML text or template, marked up; a block of text stays one colour."""
    if len(text) > MAX_COLOURED:
        return [escape(line) for line in text.splitlines()]
    return list(_lines(text.splitlines()))


def _lines(lines: Sequence[str]) -> Iterator[Markup]:
    block: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is not None:
            yield _pieces(line, "string")
            continue
        yield _line(line)
        if BLOCK.search(COMMENT.sub("", line).rstrip()):
            block = indent


def _line(line: str) -> Markup:
    if line.strip() in ("---", "..."):
        return _span("meta", line)
    comment = _comment_of(line)
    body = line[: len(line) - len(comment)]
    marked = _mapping(body)
    return marked + _span("comment", comment) if comment else marked


def _comment_of(line: str) -> str:
    """The comment at a line's end; a hash inside quotes or a template is none."""
    for found in COMMENT.finditer(line):
        before = line[: found.start()]
        quoted = before.count('"') % 2 or before.count("'") % 2
        if not quoted and before.count("{{") == before.count("}}"):
            return found.group()
    return ""


def _mapping(body: str) -> Markup:
    key = KEY.match(body)
    if key is None:
        dash = DASH.match(body)
        if dash is None:
            return _scalar(body)
        return escape(dash[1]) + _span("punctuation", dash[2]) + _scalar(body[dash.end() :])
    return (
        escape(key[1])
        + (_span("punctuation", key[2]) if key[2] else "")
        + _pieces(key[3], "propertyName")
        + _span("punctuation", ":")
        + _scalar(body[key.end() :])
    )


def _scalar(text: str) -> Markup:
    word = text.strip()
    if not word:
        return escape(text)
    kind = next((name for pattern, name in SCALARS if pattern.fullmatch(word)), "string")
    if word in ("|", ">", "|-", ">-", "{}", "[]"):
        kind = "punctuation"
    lead = text[: len(text) - len(text.lstrip())]
    trail = text[len(text.rstrip()) :]
    return escape(lead) + _pieces(word, kind) + escape(trail)


def _pieces(text: str, kind: str) -> Markup:
    """The text in one colour, with the template's actions in their own."""
    parts = Markup()
    place = 0
    for action in TEMPLATE.finditer(text):
        if action.start() > place:
            parts += _span(kind, text[place : action.start()])
        parts += _span("meta", action.group())
        place = action.end()
    return parts + _span(kind, text[place:]) if place < len(text) else parts


def _span(kind: str, text: str) -> Markup:
    return Markup('<span class="tok-{}">{}</span>').format(kind, text) if text else Markup()


def numbered(text: str, faults: Mapping[int, Sequence[str]] | None = None) -> Markup:
    """Lines with their numbers; a fault stands under its line."""
    shown = Markup()
    told = dict(faults or {})
    lines = yaml_lines(text) or [Markup()]
    for number, line in enumerate(lines, 1):
        wrong = told.pop(number, ())
        css = "ln is-bad" if wrong else "ln"
        shown += Markup('<span class="{}">{}</span>').format(css, line or " ")
        for detail in wrong:
            shown += Markup('<span class="code-bad">{}</span>').format(detail)
    for wrong in told.values():
        for detail in wrong:
            shown += Markup('<span class="code-bad">{}</span>').format(detail)
    return shown
