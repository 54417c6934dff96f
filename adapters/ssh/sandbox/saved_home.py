"""A home in memory is saved to a folder of the disk at the end, and restored from it next time.

What is copied was written by strangers: nothing is followed, and only files, folders and symbolic
links are taken, without their owners and their setuid bits.
"""

import os
import shutil
import stat
from contextlib import suppress

MAX_DEPTH = 64
SAVED = "host"
_DRAFT = "host.new"
_OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = _OPENED | os.O_DIRECTORY
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def restore_home(place: int, home: str, owner: int) -> None:
    """Copy what was saved in the folder `place`, a descriptor, to `home`, for `owner`."""
    with suppress(FileNotFoundError):
        saved = os.open(SAVED, _FOLDER, dir_fd=place)
        _copy_all(saved, os.open(home, _FOLDER), owner, MAX_DEPTH)


def save_home(home: str, place: int) -> None:
    """Copy `home` to the folder `place`, as a whole or not at all."""
    shutil.rmtree(_DRAFT, ignore_errors=True, dir_fd=place)
    os.mkdir(_DRAFT, 0o700, dir_fd=place)
    draft = os.open(_DRAFT, _FOLDER, dir_fd=place)
    _copy_all(os.open(home, _FOLDER), draft, None, MAX_DEPTH)
    shutil.rmtree(SAVED, ignore_errors=True, dir_fd=place)
    os.rename(_DRAFT, SAVED, src_dir_fd=place, dst_dir_fd=place)


def _copy_all(source: int, target: int, owner: int | None, depth: int) -> None:
    """Copy the entries of one folder to another; both descriptors are closed."""
    try:
        for name in os.listdir(source):
            _copy(source, target, name, owner, depth)
    finally:
        os.close(source)
        os.close(target)


def _copy(source: int, target: int, name: str, owner: int | None, depth: int) -> None:
    found = os.stat(name, dir_fd=source, follow_symlinks=False)
    mode = stat.S_IMODE(found.st_mode) & 0o777 | 0o600
    if stat.S_ISDIR(found.st_mode):
        if depth == 0:
            return
        mode |= 0o700
        os.mkdir(name, 0o700, dir_fd=target)
        inner = (os.open(name, _FOLDER, dir_fd=source), os.open(name, _FOLDER, dir_fd=target))
        _copy_all(*inner, owner, depth - 1)
    elif stat.S_ISREG(found.st_mode):
        _copy_file(source, target, name)
    elif stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        mode = -1
    else:
        return
    if owner is not None:
        os.chown(name, owner, owner, dir_fd=target, follow_symlinks=False)
    if mode >= 0:
        os.chmod(name, mode, dir_fd=target)
        os.utime(name, ns=(found.st_atime_ns, found.st_mtime_ns), dir_fd=target)


def _copy_file(source: int, target: int, name: str) -> None:
    with (
        open(os.open(name, _OPENED, dir_fd=source), "rb", buffering=0) as reader,
        open(os.open(name, _NEW_FILE, 0o600, dir_fd=target), "wb", buffering=0) as writer,
    ):
        shutil.copyfileobj(reader, writer)
