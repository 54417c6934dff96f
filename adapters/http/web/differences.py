"""Two texts against each other: the lines that differ, with what differs inside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from adapters.http.web.code import yaml_lines

AROUND = 3
"""Equal lines shown before and after a difference."""
MAX_PAIRED = 400
"""Characters: longer lines are not compared letter by letter."""
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a diff: numbers before and after (None where it is not), its sign and text."""

    before: int | None
    after: int | None
    sign: str
    text: Markup

    @property
    def css(self) -> str:
        return {"+": "add", "-": "del", "@": "hunk"}.get(self.sign, "")


@dataclass(frozen=True, slots=True)
class Difference:
    """The lines to show, and how many differ."""

    lines: Sequence[Line]
    count: int


def difference(before: str, after: str) -> Difference:
    """What is different between two texts; equal stretches are folded."""
    lines = list(_compared(before, after))
    changed = sum(1 for line in lines if line.sign in "+-")
    return Difference(list(_folded(lines)) if changed else [], changed)


def _compared(before: str, after: str) -> Iterator[Line]:
    old, new = before.splitlines(), after.splitlines()
    old_shown, new_shown = yaml_lines(before), yaml_lines(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                yield Line(i + 1, j + 1, " ", new_shown[j])
            continue
        pairs = dict(_pairs(old[i1:i2], new[j1:j2]))
        backwards = {after: before for before, after in pairs.items()}
        for i in range(i1, i2):
            partner = pairs.get(i - i1)
            text = _parts(old[i], new[j1 + partner]) if partner is not None else old_shown[i]
            yield Line(i + 1, None, "-", text)
        for j in range(j1, j2):
            partner = backwards.get(j - j1)
            text = _parts(new[j], old[i1 + partner]) if partner is not None else new_shown[j]
            yield Line(None, j + 1, "+", text)


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Lines in the same place that are alike enough to say what changed inside them."""
    for place, (one, other) in enumerate(zip(old, new, strict=False)):
        if len(one) <= MAX_PAIRED and len(other) <= MAX_PAIRED:
            alike = SequenceMatcher(None, one.strip(), other.strip(), autojunk=False)
            if alike.quick_ratio() > ALIKE and alike.ratio() > ALIKE:
                yield place, place


def _parts(text: str, other: str) -> Markup:
    """A line with its own part marked, between what both have at head and tail."""
    head = 0
    while head < min(len(text), len(other)) and text[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(text), len(other)) - head and text[-1 - tail] == other[-1 - tail]:
        tail += 1
    end = len(text) - tail
    own = Markup("<b>{}</b>").format(text[head:end]) if head < end else Markup()
    return escape(text[:head]) + own + escape(text[end:])


def _folded(lines: Sequence[Line]) -> Iterator[Line]:
    near: set[int] = set()
    for place, line in enumerate(lines):
        if line.sign in "+-":
            near.update(range(place - AROUND, place + AROUND + 1))
    skipped = 0
    for place, line in enumerate(lines):
        if place in near:
            if skipped:
                yield _fold(skipped)
                skipped = 0
            yield line
        else:
            skipped += 1
    if skipped:
        yield _fold(skipped)


def _fold(count: int) -> Line:
    text = "1 equal line" if count == 1 else f"{count:,} equal lines"
    return Line(None, None, "@", Markup(text))
