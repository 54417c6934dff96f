"""A small disk is a file system in memory that a test may fill to its last byte."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class CannotMount(Exception):
    """Who runs the tests may not mount a file system here."""


class SmallDisk:
    """`folder` is its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave nothing free: whoever needs a block more is told that there is no space left."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while filler.write(bytes(size)):
                        continue

    def empty(self) -> None:
        """Give back what `fill()` took."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A file system of so many MiB, gone afterwards. Raises CannotMount."""
    folder.mkdir(parents=True)
    options = f"size={megabytes}m,mode=755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "quarterdeck-tests", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise CannotMount(
            f"A small file system needs the right to mount: {reason.strip()}"
        ) from None
    try:
        yield SmallDisk(folder)
    finally:
        # A process that is on its way out may still work in it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
