"""An entry is an audit line as Loki keeps it: few labels, an instant of its own, its position."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import orjson

from domain.audit import audit_line, audit_nanoseconds
from domain.model import Recorded

APP = "quarterdeck"
TAGS = '["audit"]'
NO_WORKSPACE = "-"
OVERHEAD_BYTES = 64
"""What a line takes in a push besides itself."""


@dataclass(slots=True, frozen=True)
class Entry:
    """The same again whenever it is made: Loki drops the second of two equal entries."""

    position: int
    nanoseconds: int
    workspace: str
    line: str

    @property
    def size(self) -> int:
        """Its bytes in a push, before gzip."""
        return len(self.line.encode()) + self.line.count('"') + OVERHEAD_BYTES


def entry(recorded: Recorded, zone: tzinfo) -> Entry | None:
    """The entry of a record; None when the audit does not tell of it."""
    line = audit_line(recorded, zone)
    if line is None:
        return None
    workspace = recorded.metadata.workspace or NO_WORKSPACE
    return Entry(recorded.position, audit_nanoseconds(recorded), workspace, line)


def body(entries: Sequence[Entry], *, is_late: bool = False, with_positions: bool = True) -> bytes:
    """The push of these entries, as JSON, packed by gzip.

    What is late stands in streams of its own: in one that has gone on, Loki takes only what is at
    most an hour behind. A query that does not name the label finds both.
    """
    labels = {"app": APP, "tags": TAGS}
    if is_late:
        labels["late"] = "true"
    values: dict[str, list[object]] = {}
    for e in entries:
        metadata = ({"position": str(e.position)},) if with_positions else ()
        line = (str(e.nanoseconds), e.line, *metadata)
        values.setdefault(e.workspace, []).append(line)
    streams = [
        {"stream": labels | {"workspace": workspace}, "values": lines}
        for workspace, lines in values.items()
    ]
    return gzip.compress(orjson.dumps({"streams": streams}), compresslevel=1, mtime=0)


def pushes(entries: Sequence[Entry], most_bytes: int) -> Iterator[Sequence[Entry]]:
    """The entries in order, cut into pushes of at most so many bytes, or of one entry."""
    begin = size = 0
    for n, e in enumerate(entries):
        if n > begin and size + e.size > most_bytes:
            yield entries[begin:n]
            begin, size = n, 0
        size += e.size
    if entries:
        yield entries[begin:]
