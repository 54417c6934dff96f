"""Masks known secrets in text, in whichever of the usual forms a program has printed them."""

import base64
import html
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

LOG_MASK = "***"
MIN_SECRET = 4
"""Characters. A shorter secret is not masked: it is a part of so many words that it would take the
log with it."""
MIN_SECRET_LINE = 8
"""Characters a line of a longer secret must have to be masked alone."""
PIECE_WIDTHS = (64, 76)
"""Where PEM and base64(1) break lines. A longer secret is looked for in pieces of both widths, so
that it is also found broken or cut."""
MAX_NEEDLE = max(PIECE_WIDTHS) + MIN_SECRET_LINE - 1
PEM_BORDER = "-----"
CUT = re.compile(r"…$", re.MULTILINE)

Span = tuple[int, int]


class SecretMasker:
    """Replaces secrets by `***`; the time is linear in the text, however many secrets there are.

    Known are each secret, its lines of at least 8 characters, and both in base64 (wherever in a
    longer encoded text they stand), URL-encoded, as JSON, in a shell's and YAML's quotes and as
    HTML. Secrets shorter than 4 characters are left.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._needles = {needle for secret in secrets for needle in _needles_of(secret)}
        self._in_order = sorted(self._needles)
        lengths: dict[str, set[int]] = {}
        for needle in self._needles:
            lengths.setdefault(needle[:MIN_SECRET], set()).add(len(needle))
        self._lengths = {begin: sorted(each, reverse=True) for begin, each in lengths.items()}
        self._candidates = _any_of(self._lengths)

    def masked(self, text: str) -> str:
        """The text without secrets, nor the beginning of one before an ellipsis that ends a line:
        there a sentence was cut."""
        spans = self.spans(text)
        if "…" in text:
            spans = merged([*spans, *self._cut_away(text)])
        return replaced(text, spans)

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand, from left to right; those that touch are one."""
        if self._candidates is None:
            return []
        return merged(self._found(text))

    def _found(self, text: str) -> Iterator[Span]:
        assert self._candidates is not None
        for candidate in self._candidates.finditer(text):
            at = candidate.start()
            for length in self._lengths.get(text[at : at + MIN_SECRET], ()):
                if text[at : at + length] in self._needles:
                    yield at, at + length
                    break

    def _cut_away(self, text: str) -> Iterator[Span]:
        for ellipsis in CUT.finditer(text):
            end = ellipsis.start()
            for begin in range(max(0, end - MAX_NEEDLE), end - MIN_SECRET + 1):
                if self._is_beginning(text[begin:end]):
                    yield begin, end
                    break

    def _is_beginning(self, text: str) -> bool:
        after = bisect_left(self._in_order, text)
        return after < len(self._in_order) and self._in_order[after].startswith(text)


def replaced(text: str, spans: Sequence[Span]) -> str:
    """The text with a mask in the place of each span."""
    pieces, rest = [], 0
    for begin, end in spans:
        pieces += [text[rest:begin], LOG_MASK]
        rest = end
    return "".join([*pieces, text[rest:]])


def merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _any_of(beginnings: Iterable[str]) -> re.Pattern[str] | None:
    """Finds where one of the beginnings may stand, by the characters in each place alone: what a
    regular expression of thousands of words costs grows with their number, this does not."""
    places = [sorted(set(characters)) for characters in zip(*beginnings, strict=True)]
    if not places:
        return None
    classes = ("".join(map(re.escape, characters)) for characters in places)
    return re.compile(f"(?={''.join(f'[{each}]' for each in classes)})", re.DOTALL)


def _needles_of(secret: str) -> Iterator[str]:
    lines = [line.strip() for line in secret.splitlines()]
    long = [line for line in lines if len(line) >= MIN_SECRET_LINE or len(lines) == 1]
    told = (line for line in long if not line.startswith(PEM_BORDER))
    wholes = {secret, secret.strip()}
    forms = {form for text in (*told, *wholes) for form in (text, *_quoted(text))}
    forms |= {form for text in wholes for form in _in_base64(text)}
    for form in forms:
        yield from _pieces(form)


def _quoted(text: str) -> Iterator[str]:
    """As JSON, URLs, shells, YAML and HTML write it."""
    if text.isalnum() and text.isascii():
        return
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    for percent in (quote(text, safe="", errors="replace"), quote_plus(text, errors="replace")):
        yield percent
        yield _lower_hexadecimal(percent)
    yield quote(text, errors="replace")
    yield text.replace("'", "'\"'\"'")
    yield text.replace("'", "'\\''")
    yield text.replace("'", "''")
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text)
    yield re.sub(r'(["\\$`])', r"\\\1", text)
    yield html.escape(text)
    yield html.escape(text, quote=False)


def _lower_hexadecimal(percent: str) -> str:
    return re.sub(r"%..", lambda escape: escape[0].lower(), percent)


def _in_base64(text: str) -> Iterator[str]:
    """The characters that a text gives wherever it begins in what is encoded: the first and last
    depend on its neighbours, unless it has none."""
    if len(text) < MIN_SECRET:
        return
    content = text.encode(errors="replace")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(content).decode().rstrip("=")
        for before in range(3):
            first = (before * 8 + 5) // 6
            last = (before + len(content)) * 8 // 6
            yield encode(b"\0" * before + content).decode()[first:last]


def _pieces(form: str) -> Iterator[str]:
    """The form itself, or what it is looked for by when it is long; no line of a log holds a
    form of several lines."""
    if len(form) < MIN_SECRET or not form.strip() or "\n" in form:
        return
    if len(form) <= PIECE_WIDTHS[0]:
        yield form
        return
    for width in PIECE_WIDTHS:
        cuts = list(range(0, len(form), width))
        if len(form) - cuts[-1] < MIN_SECRET_LINE and len(cuts) > 1:
            yield form[cuts.pop() - width :]
        yield from (form[cut : cut + width] for cut in cuts)
