"""What a command may take of the machine, and that it can gain no right."""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

PROCESSES = 256
OPEN_FILES = 256
PROCESS_BYTES = 512 * 1024 * 1024
FILE_BYTES = 64 * 1024 * 1024
PROCESSOR_SECONDS = 300
NICENESS = 10

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def bound_resources(processes: int) -> None:
    """For this process and all that it starts; `processes` counts those of the account."""
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, PROCESS_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
    ):
        _, most = resource.getrlimit(kind)
        bound = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (bound, bound))
    os.nice(NICENESS)


def processes_of_ours() -> int:
    """How many this account has: before Linux 5.14 they count, whatever their namespace."""
    count = 0
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and folder.stat().st_uid == os.geteuid():
                count += len(os.listdir(folder / "task"))
    return count


def be_first_to_die() -> None:
    """When memory runs out, before the hub; what is started inherits it, and cannot undo it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def gain_no_rights() -> None:
    """Programs with the setuid bit give none."""
    if ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError("no_new_privs cannot be set")


def hide_memory() -> None:
    """No process of the same account may look into this one."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
