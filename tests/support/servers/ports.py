"""Ports are chosen by the system, and a server is up when something answers on its port."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(address: str, port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(
    is_up: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    """Wait until the server is up; raises RuntimeError with the log's end when it is not."""
    deadline = time.monotonic() + seconds
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not come up:\n{log.read_text()[-4000:]}")
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Ask the process to end, and insist when it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
