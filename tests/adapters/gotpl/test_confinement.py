"""A confined process can compute, answer and end; each bar also holds alone."""

import os
import subprocess
import sys

import pytest

from adapters.gotpl.confinement import NOBODYS_ACCOUNT

ATTEMPTS = """
import ctypes, os, resource, signal, socket, sys
from adapters.gotpl.confinement import *
from adapters.gotpl.limits import Limits

def fork():
    if os.fork() == 0:
        os._exit(0)

def execute():
    os.execv("/bin/true", ["true"])

def connect():
    socket.socket()

def write():
    os.open("/tmp/" + str(os.getpid()), os.O_CREAT | os.O_WRONLY)

def read():
    os.open("/etc/passwd", os.O_RDONLY)

def kill():
    os.kill(os.getppid(), 0)

def thread():
    import _thread
    _thread.start_new_thread(int, ())

def trace():
    if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) != 0:
        raise OSError

def more_memory():
    resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))

def allocate():
    bytearray(2**29)

def compute():
    sum(range(100_000))

def attempt(act):
    try:
        act()
    except (OSError, MemoryError, RuntimeError, ValueError):
        return "refused"
    return "done"

def attempts(*acts):
    os.write(1, " ".join(f"{act.__name__}={attempt(act)}" for act in acts).encode())
"""


def outcome(*lines: str) -> dict[str, str]:
    """What a process that runs these lines after the definitions says of its attempts."""
    script = "\n".join([ATTEMPTS, *lines])
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    assert run.returncode == 0, run.stderr.decode()
    return dict(word.split("=") for word in run.stdout.decode().split())


@pytest.mark.parametrize(
    "act",
    "fork execute connect write read kill thread trace more_memory allocate".split(),  # noqa: SIM905
)
def test_a_confined_process_cannot(act: str) -> None:
    assert outcome("confine(Limits())", f"attempts({act})") == {act: "refused"}
    if act not in ("kill", "trace", "execute"):
        assert outcome(f"attempts({act})") == {act: "done"}


def test_a_confined_process_can_compute() -> None:
    assert outcome("confine(Limits())", "attempts(compute)") == {"compute": "done"}


def test_without_the_filter_it_can_neither_fork_nor_open() -> None:
    bars = ["bound_resources(Limits())", "take_nobodys_account()"]
    found = outcome(*bars, "attempts(fork, thread, read, write, connect, allocate)")
    assert set(found.values()) == {"refused"}


def test_with_the_filter_alone_it_can_neither_fork_nor_open() -> None:
    bars = ["assert end_with_parent() and filter_system_calls()"]
    found = outcome(*bars, "attempts(fork, execute, thread, read, write, connect, kill, trace)")
    assert set(found.values()) == {"refused"}


def test_root_becomes_an_account_that_owns_nothing() -> None:
    account = "taken=" + "{os.getuid()}:{os.getgid()}:{os.getgroups()}"
    found = outcome("take_nobodys_account()", f"os.write(1, f{account!r}.encode())")
    expected = NOBODYS_ACCOUNT if os.geteuid() == 0 else os.geteuid()
    assert found["taken"].startswith(f"{expected}:")


def test_a_worker_that_outlives_its_processor_time_is_ended_by_the_kernel() -> None:
    script = "\n".join([ATTEMPTS, "confine(Limits(seconds=-4.9))", "while True: pass"])
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert run.returncode < 0
