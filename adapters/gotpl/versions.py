"""Semantic versions and rules about them, as the library that sprig uses understands both."""

import re
from dataclasses import dataclass
from functools import total_ordering

_LARGEST = 2**64 - 1
_SUFFIX = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_VERSION = re.compile(rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{_SUFFIX}", re.ASCII)
_PART = r"[0-9]+|x|X|\*"
_WANTED = rf"v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?{_SUFFIX}"
_OPERATOR = r"=>|>=|=<|<=|!=|~>|=|>|<|~|\^|"
_RULE = re.compile(rf"({_OPERATOR})\s*({_WANTED})", re.ASCII)
_BETWEEN = re.compile(r"\s*,\s*|\s+")
_SPAN = re.compile(rf"\s*({_WANTED})\s+-\s+({_WANTED})\s*", re.ASCII)


@total_ordering
@dataclass(slots=True, frozen=True, eq=False)
class Version:
    major: int
    minor: int
    patch: int
    before: str = ""
    metadata: str = ""
    original: str = ""

    def __str__(self) -> str:
        before = f"-{self.before}" if self.before else ""
        metadata = f"+{self.metadata}" if self.metadata else ""
        return f"{self.major}.{self.minor}.{self.patch}{before}{metadata}"

    @property
    def core(self) -> tuple[int, int, int]:
        return self.major, self.minor, self.patch

    def __lt__(self, other: "Version") -> bool:
        return (self.core, _rank(self.before)) < (other.core, _rank(other.before))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and not self < other and not other < self

    def __hash__(self) -> int:
        return hash((self.core, self.before))

    def compare(self, other: "Version") -> int:
        return -1 if self < other else int(other < self)

    def same_as(self, other: "Version") -> bool:
        return (str(self), self.original) == (str(other), other.original)

    def next_major(self) -> "Version":
        return self._next(self.major + 1, 0, 0)

    def next_minor(self) -> "Version":
        return self._next(self.major, self.minor + 1, 0)

    def next_patch(self) -> "Version":
        """A version that was before a release is followed by that release."""
        return self._next(self.major, self.minor, self.patch + (not self.before))

    def _next(self, major: int, minor: int, patch: int) -> "Version":
        prefix = "v" if self.original.startswith("v") else ""
        return Version(major, minor, patch, original=f"{prefix}{major}.{minor}.{patch}")


def _rank(before: str) -> tuple[object, ...]:
    """A release comes after all that was before it; a number before a word."""
    if not before:
        return (1,)
    parts = before.split(".")
    return 0, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def version(text: str) -> Version:
    """The version that is written, its missing numbers zero. Raises ValueError."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is not a semantic version")
    major, minor, patch, before, metadata = found.groups()
    core = int(major), int(minor or 0), int(patch or 0)
    if max(core) > _LARGEST or any(
        part.isdigit() and len(part) > 1 and part.startswith("0")
        for part in (before or "").split(".")
    ):
        raise ValueError(f"{text} is not a semantic version")
    return Version(core[0], core[1], core[2], before or "", metadata or "", text)


def satisfies(rules: str, text: str) -> bool:
    """Whether the version follows one of the alternatives. Raises ValueError."""
    alternatives = [_alternative(part) for part in _without_spans(rules).split("||")]
    candidate = version(text)
    return any(all(rule.allows(candidate) for rule in group) for group in alternatives)


def _without_spans(rules: str) -> str:
    return "||".join(
        f">= {found[1]}, <= {found[7]}" if (found := _SPAN.fullmatch(part)) else part
        for part in rules.split("||")
    )


def _alternative(text: str) -> "list[_Rule]":
    """Rules that all must be followed, with a comma or a space between them."""
    rules: list[_Rule] = []
    text = text.strip()
    at = 0
    while not rules or at < len(text):
        between = _BETWEEN.match(text, at) if rules else None
        found = _RULE.match(text, between.end() if between else at)
        if found is None or (rules and between is None):
            raise ValueError(f"{text} is no rule about versions")
        rules.append(_rule(found))
        at = found.end()
    return rules


def _rule(found: "re.Match[str]") -> "_Rule":
    operator, _, major, minor, patch, before, metadata = found.groups()
    parts = [major, minor, patch]
    known = 0
    while known < 3 and parts[known] is not None and parts[known].isdigit():
        known += 1
    if known == 0:
        before = metadata = ""
    core = [int(part) for part in parts[:known]] + [0] * (3 - known)
    suffix = (f"-{before}" if before else "") + (f"+{metadata}" if metadata else "")
    wanted = version(".".join(map(str, core)) + suffix)
    operator = {"=>": ">=", "=<": "<=", "~>": "~", "": "="}.get(operator, operator)
    return _Rule(operator, wanted, known)


@dataclass(slots=True, frozen=True)
class _Rule:
    """`known` tells how many of the three numbers are given."""

    operator: str
    wanted: Version
    known: int

    def allows(self, candidate: Version) -> bool:
        """What was before a release is allowed only where a rule names such a one."""
        if candidate.before and not self.wanted.before and self.operator != "!=":
            return False
        wanted = self.wanted
        match self.operator:
            case "=":
                return self._is_within(candidate) if self.known < 3 else candidate == wanted
            case "!=":
                return self._differs(candidate)
            case ">":
                return self._is_after(candidate)
            case ">=":
                return candidate >= wanted
            case "<":
                return candidate < wanted
            case "<=":
                return candidate <= wanted or (self.known < 3 and self._is_within(candidate))
            case "~":
                return self._is_within(candidate)
        return self._is_compatible(candidate)

    def _is_within(self, candidate: Version) -> bool:
        """At least the wanted one, and the same in the numbers that are given, but the patch."""
        same = min(self.known, 2)
        return candidate >= self.wanted and candidate.core[:same] == self.wanted.core[:same]

    def _differs(self, candidate: Version) -> bool:
        if self.known < 3:
            return candidate.core[: self.known] != self.wanted.core[: self.known]
        return candidate != self.wanted

    def _is_after(self, candidate: Version) -> bool:
        if self.known < 3:
            return candidate.core[: self.known] > self.wanted.core[: self.known]
        return candidate > self.wanted

    def _is_compatible(self, candidate: Version) -> bool:
        """The first number that is not zero stays, as far as numbers are given."""
        wanted = self.wanted
        if candidate < wanted:
            return False
        if self.known == 0:
            return True
        same = 1
        while same < self.known and not wanted.core[same - 1]:
            same += 1
        return candidate.core[:same] == wanted.core[:same]
