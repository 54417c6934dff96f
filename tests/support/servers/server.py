"""A server of the testbed is one process that a test may stop, kill and start again."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.support.servers.processes import end, free_port, spawn, wait_until
from tests.support.servers.testbed import made

STOP_SECONDS = 20.0

Started = TypeVar("Started", bound="Server")


class Server(ABC):
    """One process with its files in `folder` and a port that it keeps; `made` is its program."""

    def __init__(self, recipe: str, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"{recipe}.log"
        self.made = made(recipe)
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)

    @abstractmethod
    def start(self) -> None:
        """Listen; returns when it serves."""

    def stop(self) -> None:
        """Shut down in order, so that what it was given is there again after `start()`."""
        if self._process is not None:
            end(self._process, STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End as a server does whose machine lost its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _launch(self, command: Sequence[str], is_up: Callable[[], bool], seconds: float) -> None:
        self._process = spawn(command, self.log, cwd=self.folder)
        wait_until(is_up, self._process, self.log, seconds)


@contextmanager
def running(server: Started) -> Iterator[Started]:
    """The server, started, and gone afterwards."""
    try:
        server.start()
        yield server
    finally:
        server.kill()
