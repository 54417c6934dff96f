"""Quarterdeck as its users have it: the program in processes of its own, its API over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.servers.processes import free_port

PROGRAM = Path(sys.executable).with_name("quarterdeck")
START_SECONDS = 60.0
SERVING = ("up", "api")


class Quarterdeck:
    """One `quarterdeck up` over a data folder; `errors` and `output` are its two streams so far."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.settings = settings
        self.prefix: Sequence[str] = ()
        """Words before the program's own, which start it under another account."""
        self.process: subprocess.Popen[bytes] | None = None
        self._clients: list[Client] = []

    @property
    def errors(self) -> str:
        return (self.folder / "stderr").read_text()

    @property
    def output(self) -> str:
        return (self.folder / "stdout").read_text()

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("QUARTERDECK_")}
        ours = {f"QUARTERDECK_{name.upper()}": value for name, value in self.settings.items()}
        return {**kept, "QUARTERDECK_DATA": str(self.folder / "data"), **ours}

    def start(self, word: str = "up", *, await_ready: bool = True) -> None:
        """Start the process; returns when it is ready to serve."""
        with (self.folder / "stdout").open("ab") as out, (self.folder / "stderr").open("ab") as err:
            self.process = subprocess.Popen(
                [
                    *self.prefix,
                    PROGRAM,
                    word,
                    *(["--port", str(self.port)] if word in SERVING else []),
                ],
                env=self.environment(),
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        if await_ready:
            eventually(self.is_ready, START_SECONDS, lambda: self.errors)

    def is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.errors}")
        try:
            return httpx2.get(f"{self.url}/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self, number: int = signal.SIGINT, seconds: float = 10.0) -> int:
        """Ask it to stop; its exit code. It must be gone in time."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def close(self) -> None:
        """Be gone, and let go of every connection."""
        self.kill()
        for client in self._clients:
            client.close()

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Let it stand still, as a machine that sleeps does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an operation of the program to its end."""
        return subprocess.run(
            [*self.prefix, PROGRAM, *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def token(self, *words: str) -> str:
        made = self.run("token", "create", "--name", "test", *words)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def client(self, token: str) -> "Client":
        client = Client(self.url, token)
        self._clients.append(client)
        return client


class Client:
    """The integration API with one token, spoken by somebody else's HTTP client."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx2.Client(
            base_url=f"{url}/api/v1/", headers={"X-Auth-Token": token}, timeout=30
        )

    def __call__(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **more: Any
    ) -> httpx2.Response:
        return self._http.request(method, path, json=body, **more)

    def close(self) -> None:
        self._http.close()

    def ok(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer that must be a good one."""
        answer = self(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def quarterdeck(folder: Path, **settings: str) -> Iterator[Quarterdeck]:
    """A running Quarterdeck that is gone afterwards, whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    program = Quarterdeck(folder, **settings)
    try:
        program.start()
        yield program
    finally:
        program.close()


def eventually(
    holds: Callable[[], bool], seconds: float = 30.0, told: Callable[[], object] = lambda: ""
) -> None:
    """Wait until it holds; a failure tells what there was instead."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {told()}")
        time.sleep(0.02)
