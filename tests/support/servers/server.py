"""A server of the testbed is one process that a test may stop, kill and start again."""

import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from adapters.embedded.account import Account
from tests.support.servers.processes import OURSELVES, end, free_port, spawn, wait_until

STOP_SECONDS = 20.0

Started = TypeVar("Started", bound="Server")


class Server(ABC):
    """One process with its files in `folder`, a port that it keeps, and the account it runs as."""

    stop_signal = signal.SIGTERM

    def __init__(self, name: str, folder: Path, account: Account = OURSELVES) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.account = account
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        account.own(folder)

    @property
    def pid(self) -> int:
        """The process id of a server that was started."""
        assert self._process is not None
        return self._process.pid

    @abstractmethod
    def start(self) -> None:
        """Listen; returns when it serves."""

    def stop(self) -> None:
        """Shut down in order, so that what it was given is there again after `start()`."""
        if self._process is not None:
            end(self._process, STOP_SECONDS, self.stop_signal)
            self._process = None

    def kill(self) -> None:
        """End as a server does whose machine lost its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _launch(self, command: Sequence[str], is_up: Callable[[], bool], seconds: float) -> None:
        self._process = spawn(command, self.log, cwd=self.folder, account=self.account)
        wait_until(is_up, self._process, self.log, seconds)


@contextmanager
def running(server: Started) -> Iterator[Started]:
    """The server, started, and gone afterwards."""
    try:
        server.start()
        yield server
    finally:
        server.kill()
