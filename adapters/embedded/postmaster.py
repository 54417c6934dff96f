"""A postmaster is known by the lock file that PostgreSQL keeps in its cluster folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")


@dataclass(frozen=True)
class Postmaster:
    """What `postmaster.pid` says: the process, its port, its socket folder, its state."""

    cluster: Path
    pid: int
    port: int
    socket_folder: str
    status: str

    @classmethod
    def of(cls, cluster: Path) -> Self | None:
        """Read the lock file; None when there is none, or when it is only half written."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        lines += [""] * (8 - len(lines))
        if not lines[0].strip().isdigit():
            return None
        port = int(lines[3]) if lines[3].strip().isdigit() else 0
        return cls(cluster, int(lines[0]), port, lines[4].strip(), lines[7].strip())

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return self.status == "ready"

    @property
    def is_alive(self) -> bool:
        """Whether that very postmaster runs: a zombie or a stranger with its number does not."""
        if not PROC.exists():
            return _process_exists(self.pid)
        entry = PROC / str(self.pid)
        try:
            return _is_running(entry) and _works_in(entry, self.cluster)
        except PermissionError:
            # A container's root may not look into another account's process: take its word.
            return True
        except OSError:
            return False


def processes_in(cluster: Path) -> Iterator[int]:
    """The living processes that work in the cluster folder: a postmaster and its children."""
    for entry in PROC.glob("[0-9]*"):
        try:
            if _is_running(entry) and _works_in(entry, cluster):
                yield int(entry.name)
        except OSError:
            # It ended meanwhile, or belongs to an account that is not ours to look at.
            continue


def _works_in(entry: Path, cluster: Path) -> bool:
    return Path(os.readlink(entry / "cwd")) == cluster.resolve()


def _is_running(entry: Path) -> bool:
    name_and_state = (entry / "stat").read_text()
    name, state = name_and_state.split("(", 1)[1].rsplit(")", 1)
    return name == "postgres" and state.split()[0] not in "ZX"


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
