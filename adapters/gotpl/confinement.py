"""Giving up, for good, everything a process could do besides computing and speaking to its parent.

Each bar holds alone; together they hold where one of them is missing: another account that owns
nothing, no new process or file, little memory, an end to processor time, and (on Linux) a filter
that answers every system call but a few with EPERM.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys

from adapters.gotpl.limits import Limits
from adapters.gotpl.system_calls import ARCHITECTURES

NOBODYS_ACCOUNT = 65_533
"""Not `nobody`'s: the embedded PostgreSQL may run as nobody."""

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2


class NotConfined(Exception):
    """Nothing here keeps this process from starting others: it must not run a stranger's text."""


def confine(limits: Limits) -> None:
    """Give it all up. Open files stay open; what was not imported before cannot be any more."""
    bound_resources(limits)
    has_other_account = take_nobodys_account()
    is_filtered = end_with_parent() and filter_system_calls()
    if os.geteuid() == 0 and not has_other_account and not is_filtered:
        raise NotConfined


def bound_resources(limits: Limits) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CPU, limits.processor_seconds)
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    _lower(resource.RLIMIT_NPROC, 0)
    _lower(resource.RLIMIT_NOFILE, 0)


def _lower(kind: int, value: int) -> None:
    _, most = resource.getrlimit(kind)
    bound = value if most == resource.RLIM_INFINITY else min(value, most)
    # Some systems know a limit by name only.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (bound, bound))


def take_nobodys_account() -> bool:
    """For root, whom the limit on processes does not bind; a user namespace may not have it."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setgid(NOBODYS_ACCOUNT)
        os.setuid(NOBODYS_ACCOUNT)
    except OSError:
        return False
    return True


def end_with_parent() -> bool:
    """After the change of account, which would clear the wish."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return bool(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_system_calls() -> bool:
    if platform.machine() not in ARCHITECTURES:
        return False
    instructions = _instructions(*ARCHITECTURES[platform.machine()])
    program = _FilterProgram(len(instructions), b"".join(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return bool(answer == 0)


def _instructions(architecture: int, calls: dict[str, int]) -> list[bytes]:
    """Berkeley packet filter: allow the calls of this architecture, answer EPERM to all others."""
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    refused, allowed = 0x0005_0001, 0x7FFF_0000
    tests = [
        struct.pack("HBBI", jump_if_equal, len(calls) - place, 0, number)
        for place, number in enumerate(sorted(calls.values()))
    ]
    return [
        struct.pack("HBBI", load, 0, 0, 4),
        struct.pack("HBBI", jump_if_equal, 1, 0, architecture),
        struct.pack("HBBI", answer, 0, 0, refused),
        struct.pack("HBBI", load, 0, 0, 0),
        *tests,
        struct.pack("HBBI", answer, 0, 0, refused),
        struct.pack("HBBI", answer, 0, 0, allowed),
    ]
