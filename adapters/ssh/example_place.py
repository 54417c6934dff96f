"""Where the example's throw-away host is: its folder and its port."""

import socket
from pathlib import Path

FOLDER = "example"


def example_folder(data: Path) -> Path:
    """The folder that keeps the host's key and what its scripts leave in their home."""
    return (data / FOLDER).absolute()


def example_port(data: Path) -> int:
    """The port of the example's host: chosen once, because its key is pinned under it."""
    path = data / FOLDER / "port"
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(_free_port()))
        return int(path.read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
