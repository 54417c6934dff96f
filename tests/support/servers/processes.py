"""A server's process is started beside ours, known by its id, and never outlives us."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.account import Account

OURSELVES = Account(os.geteuid(), os.getegid())


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def as_account(account: Account, command: Sequence[str]) -> list[str]:
    """The command of a program that runs under the account and is killed when we are."""
    numbers = [os.getpid(), int(signal.SIGKILL), account.uid, account.gid]
    return [sys.executable, "-I", "-S", str(child.__file__), *map(str, numbers), *command]


def spawn(
    command: Sequence[str], log: Path, *, cwd: Path | None = None, account: Account = OURSELVES
) -> subprocess.Popen[bytes]:
    """Start a program with its output appended to `log`; it is killed when we are."""
    with log.open("ab") as output:
        return subprocess.Popen(
            as_account(account, command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
        )


def wait_until(
    is_up: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    """Wait until the server is up; raises RuntimeError with the log's end when it is not."""
    deadline = time.monotonic() + seconds
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not come up:\n{log.read_text()[-4000:]}")
        time.sleep(0.02)


def end(
    process: subprocess.Popen[bytes],
    seconds: float = 10.0,
    request: signal.Signals = signal.SIGTERM,
) -> None:
    """Ask the process to end, and insist when it does not."""
    process.send_signal(request)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
