"""Takes many secrets out of a text in time that is proportional to the length of the text.

Looking for one secret after the other costs their number times the text. Here each place of the
text is looked up once, by its next few characters, among the beginnings of all secrets.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from domain.secrets import MASK

HEAD = 8
"""So many characters of a secret, at most, are what it is found by."""
PIECE = 4_096
"""Places of the text that one step looks at."""
CHECK_COST = 64
"""What one comparison costs beside the characters that it compares, in characters."""
PIECE_COST = 1_000_000
"""Characters that may be compared for one piece of the text: about a millisecond."""


@dataclass(slots=True)
class _Alike:
    """Secrets that begin with the same characters."""

    secrets: list[str] = field(default_factory=list)
    longest: int = 0

    def add(self, secret: str) -> None:
        self.secrets.append(secret)
        self.longest = max(self.longest, len(secret))


class Redactor:
    """The secrets, ready to be looked for. Where two overlap, both are masked, as one."""

    def __init__(self, secrets: Iterable[str] = (), *, word_below: int = 0) -> None:
        """A secret of letters and digits that is shorter than `word_below` is masked only where
        it stands as a word."""
        self._word_below = word_below
        self._by_head: dict[int, dict[str, _Alike]] = {}
        self._seen: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        if not secret or secret in self._seen:
            return
        self._seen.add(secret)
        heads = self._by_head.setdefault(min(len(secret), HEAD), {})
        head = secret[:HEAD]
        if head not in heads:
            heads[head] = _Alike()
        heads[head].add(secret)

    def redacted(self, text: str) -> str:
        """The text with a mask in place of each secret."""
        return "".join(self.pieces(text))

    def pieces(self, text: str) -> Iterator[str]:
        """The redacted text in parts; each is the work of a millisecond or two."""
        shown, end = 0, 0
        for start in range(0, len(text), PIECE):
            parts = []
            for begin, length in self._found(text, start, min(start + PIECE, len(text))):
                if begin >= end:
                    parts += [text[shown:begin], MASK] if shown < begin else [MASK]
                shown = end = max(end, begin + length)
            upto = min(start + PIECE, len(text))
            if shown < upto:
                parts.append(text[shown:upto])
                shown = upto
            yield "".join(parts)

    def _found(self, text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Where secrets begin between two places, in order, with the length of the longest."""
        budget = _Budget()
        found: dict[int, int] = {}
        for size, heads in self._by_head.items():
            for begin in range(start, stop):
                if (head := text[begin : begin + size]) in heads:
                    length = self._longest(text, begin, heads[head], budget)
                    found[begin] = max(length, found.get(begin, 0))
        return iter(sorted(item for item in found.items() if item[1]))

    def _longest(self, text: str, begin: int, alike: _Alike, budget: "_Budget") -> int:
        """The length of the longest secret that stands there; 0 for none."""
        if not budget.covers(CHECK_COST * len(alike.secrets)):
            # Too much is alike to be compared: rather too much is masked than too little.
            return alike.longest
        longest = 0
        for secret in alike.secrets:
            if len(secret) > longest and _ends_alike(text, begin, secret):
                if not budget.covers(len(secret)):
                    return alike.longest
                if self._stands(text, begin, secret):
                    longest = len(secret)
        return longest

    def _stands(self, text: str, begin: int, secret: str) -> bool:
        if not text.startswith(secret, begin):
            return False
        if len(secret) >= self._word_below or not secret.isalnum():
            return True
        end = begin + len(secret)
        return not (_is_word(text[begin - 1 : begin]) or _is_word(text[end : end + 1]))


class _Budget:
    """The characters that may still be compared."""

    def __init__(self, left: int = PIECE_COST) -> None:
        self._left = left

    def covers(self, cost: int) -> bool:
        self._left -= cost
        return self._left >= 0


def _ends_alike(text: str, begin: int, secret: str) -> bool:
    """The last character first: what begins alike mostly ends in another way."""
    end = begin + len(secret)
    return end <= len(text) and text[end - 1] == secret[-1]


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
