"""A script to run on the task's host, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from adapters.ssh.folder import Ending, Launch


@dataclass(frozen=True)
class Job:
    """A script to run: a phase's own, or one that only checks."""

    phase: str
    kind: Literal["script", "check"]
    title: str
    """The subject of a sentence about it."""
    script: str = field(repr=False)
    variables: Callable[[str], str]
    """The file of its variables, by the path of its $QUARTERDECK_STATE."""
    launch: Launch
    critical: bool = False
    may_have_begun: bool = False
    """Whether another manager may have started it before."""


@dataclass(frozen=True)
class Outcome:
    ending: Ending
    last_lines: tuple[str, ...]
    written: bytes = b""
    """What the script wrote to $QUARTERDECK_STATE, up to a byte more than STATE_BYTES."""
