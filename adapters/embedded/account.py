"""An account is the user PostgreSQL runs as, because it refuses to run as root."""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOTS_DATA = Path("/var/lib/quarterdeck")


@dataclass(frozen=True)
class Account:
    """A user id with its primary group."""

    uid: int
    gid: int

    @classmethod
    def for_cluster(cls, cluster: Path) -> Self:
        """Ourselves; when we are root, the owner of the existing cluster, else `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if cluster.exists() and cluster.stat().st_uid != 0:
            return cls(cluster.stat().st_uid, cluster.stat().st_gid)
        return cls._nobody()

    @classmethod
    def _nobody(cls) -> Self:
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def is_other(self) -> bool:
        """Whether the account differs from the one we run as."""
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        """Give one path, not what is below it, to the account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def obstacle(self, folder: Path) -> Path | None:
        """The outermost existing folder on the way to `folder` that the account cannot pass."""
        if not self.is_other:
            return None
        way = [folder, *folder.parents]
        return next((step for step in reversed(way) if step.exists() and self._bars(step)), None)

    def _bars(self, folder: Path) -> bool:
        return not self._may(folder.stat(), stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)

    def may_read(self, file: Path) -> bool:
        """Whether the account may read a file whose folders it can pass."""
        return self._may(file.stat(), stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH)

    def _may(self, found: os.stat_result, owner: int, group: int, others: int) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & owner)
        if found.st_gid == self.gid:
            return bool(found.st_mode & group)
        return bool(found.st_mode & others)


def reachable_folder(preferred: Path) -> Path:
    """`preferred`, unless we are root and it lies where no other account may go.

    Then a folder of /var/lib/quarterdeck whose name is the same at every start: root's home is
    closed to others, and opening it is not ours to do.
    """
    preferred = preferred.absolute()
    if Account.for_cluster(preferred / "cluster").obstacle(preferred.parent) is None:
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    return ROOTS_DATA / f"{preferred.name}-{digest}"
