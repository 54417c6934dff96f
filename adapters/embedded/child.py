"""This script turns its own process into another program that ends when its parent does.

Run as `python -I -S child.py PARENT_PID SIGNAL UID GID PROGRAM ARGUMENT...`: it is a program of its
own, not a function between fork and exec, because our process has threads, and the interpreter may
be unreadable to the account that PROGRAM runs under.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def _drop_privileges(uid: int, gid: int) -> None:
    if os.geteuid() == uid:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _die_with_parent(parent_pid: int, signal_number: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its child began")


def main(arguments: list[str]) -> None:
    """Leave the terminal's process group, become the account, and execute the program."""
    parent_pid, signal_number, uid, gid = map(int, arguments[:4])
    program = arguments[4:]
    os.setsid()
    _drop_privileges(uid, gid)
    # After the change of account, which clears the wish.
    _die_with_parent(parent_pid, signal_number)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
