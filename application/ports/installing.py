"""Operations on a cluster's machines, and what they report."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.values import OperationKind


class Continue(StrEnum):
    """The answer after a phase (dhctl's Continue)."""

    NEXT_PHASE = "next_phase"
    STOP_OPERATION = "stop_operation"
    ERROR = "error"


@dataclass(slots=True, frozen=True)
class OperationRequest:
    """All an installer needs; it keeps nothing itself, so another one can go on from `state`."""

    task_id: UUID
    kind: OperationKind
    cluster_id: UUID
    cluster_name: str
    documents: Mapping[str, Sequence[Any]]
    """Rendered sections by name, each a list of parsed YAML documents."""
    private_key: str = field(repr=False)
    """The cluster's own SSH key, used when SSHConfig names no other."""
    state: Mapping[str, bytes] = field(default_factory=dict)
    """What the last ended phase saved, name to bytes; empty at the start."""
    known_hosts: Mapping[str, str] = field(default_factory=dict)
    """Pinned host keys: `host:port` to the key in OpenSSH's one-line form."""
    is_resumed: bool = False
    """Whether another manager has worked on this task before."""
    log_offsets: Mapping[str, int] = field(default_factory=dict)
    """Per phase, the bytes of output whose lines are already kept."""
    leaves_traces: bool = True
    """Whether what a failure leaves on a host may stay there, for somebody to look at."""


@dataclass(slots=True, frozen=True)
class LogLine:
    """A line of output; `stream` is `out` (the script's) or `note` (the installer's own words)."""

    phase: str
    text: str
    stream: str = "out"
    offset: int | None = None
    """The byte after this line in the phase's output, to continue from."""
    is_cut: bool = False
    """Whether it goes on in the phase's next line: no newline ends it."""


@dataclass(slots=True, frozen=True)
class PhaseStarted:
    phase: str
    critical: bool
    phases: Sequence[str]
    """Every phase of the operation in order, so that the page can draw what is to come."""


@dataclass(slots=True, frozen=True)
class HostKeyOffered:
    """First contact with a host: its key is pinned as an event before anything is sent."""

    host: str
    port: int
    key: str
    fingerprint: str


@dataclass(slots=True, frozen=True)
class TracesLost:
    """The host knows nothing of the operation any more: before the phase is begun there anew, the
    log must say that the task is still ours. Another manager may have ended it and cleaned up."""

    phase: str


@dataclass(slots=True, frozen=True)
class PhaseEnded:
    """A phase is over and its state must be saved before the operation goes on."""

    phase: str
    state: Mapping[str, bytes]
    next_phase: str | None
    next_phase_critical: bool
    skipped: bool = False
    """The phase's check said that there was nothing to do."""


@dataclass(slots=True, frozen=True)
class Finished:
    """The operation's end: `error` is None or the sentence that a person understands."""

    state: Mapping[str, bytes]
    error: str | None = None
    cancelled: bool = False
    is_lost: bool = False
    """Nobody can say how the running phase ended (host rebuilt, traces gone)."""
    in_sync: bool | None = None
    """For a check: whether what was found is what is declared."""
    drift: str | None = None
    """For a check that found a difference: what it printed last, for people."""


Question = HostKeyOffered | TracesLost | PhaseEnded
"""What an operation waits for an answer to."""
Report = LogLine | PhaseStarted | Question | Finished


class Operation(Protocol):
    """One running operation: iterate over its reports, and answer each Question."""

    def __aiter__(self) -> AsyncIterator[Report]: ...

    def answer(self, answer: Continue, error: str | None = None) -> None:
        """Let it go on after a Question; it waits until then."""
        ...

    async def cancel(self) -> None:
        """Stop what runs as soon as it can be stopped; Finished(cancelled=True) follows."""
        ...


class Installer(Protocol):
    """Does operations on a cluster's machines (DESIGN, section 8).

    An operation ends with exactly one Finished, whatever happens: a fault of the host, the key or
    the script is a sentence in it and never an exception. Leaving the context without Finished
    lets a running script run on: another installer finds it again.
    """

    def open(self, request: OperationRequest) -> AbstractAsyncContextManager[Operation]: ...
