"""Namespaces: a process tree, mounts, a network and names of its own, as any account may have."""

import ctypes
import os
import platform
import socket
from pathlib import Path

ACCOUNT = 65_531
"""The user and group id of commands: neither `nobody`'s, which the embedded PostgreSQL may have,
nor that of the processes that render templates."""
HOST_NAME = "throw-away-host"

_NEW_MOUNTS, _NEW_NAMES, _NEW_IPC = 0x0002_0000, 0x0400_0000, 0x0800_0000
_NEW_USERS, _NEW_PROCESSES, _NEW_NETWORK = 0x1000_0000, 0x2000_0000, 0x4000_0000
_ALL = _NEW_MOUNTS | _NEW_NAMES | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


class NoNamespaces(Exception):
    """The kernel, or whoever runs this machine, gives this process none; the sentence says why."""


def enter_namespaces() -> None:
    """For this process and the next one that it starts, which is the first of the process tree.

    Root enters them as it is, and commands take ACCOUNT. Any other account enters a user namespace
    in which it is called ACCOUNT. Raises NoNamespaces.
    """
    is_root = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    try:
        if is_root:
            _refuse_missing_account()
        _check(_libc.unshare(_ALL if is_root else _ALL | _NEW_USERS))
        if not is_root:
            _be_called_account(uid, gid)
        socket.sethostname(HOST_NAME)
    except OSError as error:
        raise NoNamespaces(
            f"this machine gives {'root' if is_root else 'an ordinary account'} no namespaces"
            f" ({error.strerror})"
        ) from None


def _refuse_missing_account() -> None:
    """In some containers root is the only account there is."""
    for file in ("uid_map", "gid_map"):
        lines = [
            map(int, line.split()) for line in Path("/proc/self", file).read_text().splitlines()
        ]
        if not any(first <= ACCOUNT < first + count for first, _, count in lines):
            raise NoNamespaces(f"root has no other account here (/proc/self/{file})")


def _be_called_account(uid: int, gid: int) -> None:
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{ACCOUNT} {uid} 1"),
        ("gid_map", f"{ACCOUNT} {gid} 1"),
    ):
        Path("/proc/self", file).write_text(text)


def take_account() -> None:
    """What was root becomes ACCOUNT, without groups; what is called so already stays it."""
    if os.geteuid() == ACCOUNT:
        return
    os.setgroups([])
    os.setresgid(ACCOUNT, ACCOUNT, ACCOUNT)
    os.setresuid(ACCOUNT, ACCOUNT, ACCOUNT)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Raises OSError."""
    words = (source.encode(), target.encode(), kind.encode() or None)
    _check(_libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None))


def change_root(folder: str) -> None:
    """Make `folder`, a mount, the root of this mount namespace; the old one is gone for good."""
    os.chdir(folder)
    _check(_libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."))
    _check(_libc.umount2(b".", _DETACH))
    os.chdir("/")


def _check(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
