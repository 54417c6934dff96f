"""The files of a sandbox: programs to read, a home of bounded size to write, and nothing else."""

import os
from contextlib import suppress
from pathlib import Path

from adapters.ssh.sandbox.namespaces import ACCOUNT, change_root, mount

HOME = "/home/quarterdeck"
HOME_BYTES = 64 * 1024 * 1024
HOME_FILES = 10_000
PROGRAMS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Folders of the machine's own programs, under / and under /usr; seen, never written."""
MORE_PROGRAMS = ("/usr/libexec", "/usr/share")
SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf")
DEVICES = ("full", "null", "random", "urandom", "zero")

_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_RELATIVE_TIMES = 1 << 21
_ST_RELATIVE_TIMES = 4096
_KEPT = os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME


def build_root_folder(folder: str) -> None:
    """Build it on `folder`, an empty one, and enter it. Raises OSError."""
    mount("none", "/", "", _RECURSIVE | _PRIVATE)
    mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    root = Path(folder)
    for name in PROGRAMS:
        _show(root, Path("/", name))
        _show(root, Path("/usr", name))
    for name in (*MORE_PROGRAMS, *SETTINGS):
        _show(root, Path(name))
    _name_accounts(root)
    _add_devices(root)
    _add_writable(root / "tmp", 16 * 1024 * 1024)
    _add_writable(root / HOME.lstrip("/"), HOME_BYTES)
    _add_processes(root)
    change_root(folder)
    mount("none", "/", "", _REMOUNT | _BIND | _READ_ONLY | _NO_SETUID | _NO_DEVICES)


def _show(root: Path, path: Path) -> None:
    """Show a folder or file under its own name; one that is not there is left out."""
    here = root / path.relative_to("/")
    here.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and path.parent != Path("/etc"):
        here.symlink_to(path.readlink())
    elif path.is_dir():
        here.mkdir()
        _bind(str(path), str(here))
    elif path.exists():
        here.touch()
        _bind(str(path.resolve()), str(here))


def _bind(source: str, target: str) -> None:
    mount(source, target, "", _BIND | _RECURSIVE)
    found = os.statvfs(target).f_flag
    # What the mount forbids already may not be allowed anew.
    kept = (found & _KEPT) | (_RELATIVE_TIMES if found & _ST_RELATIVE_TIMES else 0)
    mount("none", target, "", _REMOUNT | _BIND | _READ_ONLY | _NO_SETUID | kept)


def _name_accounts(root: Path) -> None:
    etc = root / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(f"quarterdeck:x:{ACCOUNT}:{ACCOUNT}::{HOME}:/bin/sh\n")
    (etc / "group").write_text(f"quarterdeck:x:{ACCOUNT}:\n")


def _add_devices(root: Path) -> None:
    devices = root / "dev"
    devices.mkdir()
    for name in DEVICES:
        (devices / name).touch()
        mount(f"/dev/{name}", str(devices / name), "", _BIND)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (devices / name).symlink_to(f"/proc/self/fd{target}")


def _add_writable(folder: Path, size: int) -> None:
    folder.mkdir(parents=True)
    owner = f"mode=700,uid={ACCOUNT},gid={ACCOUNT}"
    options = f"size={size},nr_inodes={HOME_FILES},{owner}"
    mount("tmpfs", str(folder), "tmpfs", _NO_SETUID | _NO_DEVICES, options)


def _add_processes(root: Path) -> None:
    """/proc of the new process tree; without it, where a container hides parts of its own."""
    (root / "proc").mkdir()
    with suppress(OSError):
        flags = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS
        mount("proc", str(root / "proc"), "proc", flags)
