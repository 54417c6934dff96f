"""What a test sees of a throw-away host's sandbox from outside, which only root may."""

from pathlib import Path

from adapters.ssh.sandbox.root_folder import HOME
from adapters.ssh.throwaway import ThrowawayHost


def root_of(host: ThrowawayHost) -> Path:
    """The root folder of its commands."""
    (init,) = _children(host.sandbox.process.pid)
    return Path(f"/proc/{init}/root")


def home_of(host: ThrowawayHost) -> Path:
    """The home of its commands, as it is now."""
    return root_of(host) / HOME.lstrip("/")


def processes_in(host: ThrowawayHost) -> list[int]:
    """Every process of the sandbox but its first."""
    return [pid for init in _children(host.sandbox.process.pid) for pid in _descendants(init)]


def names_of(pids: list[int]) -> set[str]:
    """The programs that they run."""
    return {name for pid in pids if (name := _name(pid))}


def _descendants(pid: int) -> list[int]:
    return [found for child in _children(pid) for found in (child, *_descendants(child))]


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
