"""The system-call filter of a sandbox: no new namespaces, no mounts, no memory outside a process.

Memory that belongs to no process (shared segments, files in memory) is not freed by the kernel's
out-of-memory killer, and the mounts and namespaces that could make such memory are refused too.
"""

import ctypes
import errno
import platform
import struct

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF_0000
_ERROR = 0x0005_0000
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _FIRST_ARGUMENT_OFFSET = 0, 4, 16
_NEW_NAMESPACE_FLAGS = 0x7E02_0080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_X32_NUMBERS = 0x4000_0000

REFUSED: dict[str, tuple[int, int]] = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
"""The calls that are refused, by their numbers on x86_64 and on aarch64."""
_CLONE, _CLONE3 = (56, 220), (435, 435)
ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
"""`platform.machine()` to the kernel's number of it and the column above."""


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_system_calls() -> None:
    """Refuse them in this process and in all that it starts; it needs `no_new_privs`.

    Raises OSError.
    """
    instructions = _instructions(*ARCHITECTURES[platform.machine()])
    program = _FilterProgram(len(instructions), b"".join(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no system-call filter can be set")


def _instructions(architecture: int, column: int) -> list[bytes]:
    refused = [numbers[column] for numbers in REFUSED.values()]
    refuse = _answer(_ERROR | errno.EPERM)
    return [
        _step(_LOAD, _ARCHITECTURE_OFFSET),
        _step(_JUMP_IF_EQUAL, architecture, skip_if=1),
        refuse,
        _step(_LOAD, _NUMBER_OFFSET),
        # The calls of x32 have other numbers, on the same architecture.
        _step(_JUMP_IF_AT_LEAST, _X32_NUMBERS, skip_else=1),
        refuse,
        *(part for number in refused for part in (_unless(number), refuse)),
        # Its flags are in memory, out of the filter's sight: libraries fall back to clone.
        _unless(_CLONE3[column]),
        _answer(_ERROR | errno.ENOSYS),
        _step(_JUMP_IF_EQUAL, _CLONE[column], skip_else=3),
        _step(_LOAD, _FIRST_ARGUMENT_OFFSET),
        _step(_JUMP_IF_ANY_BIT, _NEW_NAMESPACE_FLAGS, skip_else=1),
        refuse,
        _answer(_ALLOW),
    ]


def _step(operation: int, value: int, *, skip_if: int = 0, skip_else: int = 0) -> bytes:
    return struct.pack("HBBI", operation, skip_if, skip_else, value)


def _unless(number: int) -> bytes:
    """Skip the next instruction when the call is another one."""
    return _step(_JUMP_IF_EQUAL, number, skip_else=1)


def _answer(answer: int) -> bytes:
    return _step(_ANSWER, answer)
