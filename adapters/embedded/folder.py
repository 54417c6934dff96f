"""A data folder holds one cluster, its socket and its log, and has one user at a time."""

import fcntl
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.binaries import MAJOR
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.postmaster import Postmaster, processes_in

ORPHAN_SECONDS = 15.0
LOG_BYTES = 16 * 1024 * 1024
# The kernel's limit for a socket's path is 108 bytes, PostgreSQL adds "/.s.PGSQL.5432.lock".
SOCKET_FOLDER_BYTES = 85
FAR_SOCKETS = "quarterdeck-socket-"
OURS = {"cluster", "cluster.new", "postgres.log", "postgres.log.1", "socket"}


class DataFolder:
    """The folder `path`, taken with `take()` and given back with `release()`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.cluster = self.path / "cluster"
        self.unfinished_cluster = self.path / "cluster.new"
        self.log = self.path / "postgres.log"
        self.account = Account.for_cluster(self.cluster)
        self._lock: int | None = None

    def take(self) -> None:
        """Make the folder ours, or refuse with the reason; afterwards nobody works in it."""
        self._refuse_unreachable()
        self._make()
        self._refuse_foreign()
        self._refuse_other_major()
        self._own()
        self._lock_against_others()
        self._wait_for_orphans()

    def release(self) -> None:
        """Let the next one have it; without effect when it was not taken."""
        if self._lock is not None:
            self._remove_socket_folder()
            os.close(self._lock)
            self._lock = None

    def write_access_rules(self, *, loopback: bool) -> None:
        """Let the account we run as in, under any role: not everyone who is `nobody`."""
        rules = "local all all peer map=quarterdeck\n"
        if loopback:
            rules += "host all all 127.0.0.1/32 trust\n"
        self._write(self.cluster / "pg_hba.conf", rules)
        self._write(self.cluster / "pg_ident.conf", f'quarterdeck "{_own_name()}" all\n')

    @property
    def socket_folder(self) -> Path:
        """Where the socket of the server lies that runs here, whoever started it."""
        near = self._near_socket_folder
        return near.readlink() if near.is_symlink() else near

    def make_socket_folder(self) -> None:
        """A private folder for the socket, in /tmp where the data folder's path is too long."""
        self._remove_socket_folder()
        folder = self._near_socket_folder
        if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES:
            folder.mkdir(mode=0o700)
        else:
            folder = Path(tempfile.mkdtemp(prefix=FAR_SOCKETS, dir="/tmp"))
            # The link remembers it for whoever cleans up after a kill.
            self._near_socket_folder.symlink_to(folder)
        self.account.own(folder)

    def open_log(self) -> int:
        """A descriptor that appends to the server's log, which starts anew when it is long."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name("postgres.log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self.log, flags, 0o600)

    @property
    def _near_socket_folder(self) -> Path:
        return self.path / "socket"

    def _remove_socket_folder(self) -> None:
        near = self._near_socket_folder
        if not near.is_symlink():
            shutil.rmtree(near, ignore_errors=True)
            return
        far = near.readlink()
        if far.parent == Path("/tmp") and far.name.startswith(FAR_SOCKETS):
            shutil.rmtree(far, ignore_errors=True)
        near.unlink()

    def _refuse_unreachable(self) -> None:
        obstacle = self.account.obstacle(self.path.parent)
        if obstacle is not None:
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and no other account may pass {obstacle}: "
                "choose a data folder outside it, such as /var/lib/quarterdeck."
            )

    def _make(self) -> None:
        missing = [step for step in (self.path, *self.path.parents) if not step.exists()]
        for step in reversed(missing):
            step.mkdir(exist_ok=True)
            # Whatever the umask says: the account has to pass.
            step.chmod(0o755)

    def _refuse_foreign(self) -> None:
        foreign = {entry.name for entry in self.path.iterdir()} - OURS
        if foreign:
            raise EmbeddedPostgresError(
                f"The data folder {self.path} holds something that is not Quarterdeck's "
                f"({min(foreign)}): choose an empty one."
            )

    def _refuse_other_major(self) -> None:
        version = self.cluster / "PG_VERSION"
        if version.exists() and (major := version.read_text().strip()) != str(MAJOR):
            raise EmbeddedPostgresError(
                f"The data folder {self.path} was written by PostgreSQL {major}, and this "
                f"Quarterdeck carries PostgreSQL {MAJOR}: use the release that wrote it."
            )

    def _own(self) -> None:
        owner = self.path.stat().st_uid
        if owner not in {os.geteuid(), self.account.uid}:
            raise EmbeddedPostgresError(
                f"The data folder {self.path} belongs to another account (uid {owner})."
            )
        self.account.own(self.path)
        self.path.chmod(0o700)

    def _lock_against_others(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise EmbeddedPostgresError(
                f"The data folder {self.path} is in use by another running process."
            ) from error
        self._lock = descriptor

    def _wait_for_orphans(self) -> None:
        # A server whose parent was killed is on its way out: give it time, then refuse.
        deadline = time.monotonic() + ORPHAN_SECONDS
        for pid in self._workers():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"The data folder {self.path} is in use by the running PostgreSQL {pid}."
                )
            time.sleep(0.02)
        # PostgreSQL would take a zombie, or whoever has that number now, for its elder.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _workers(self) -> Iterator[int]:
        while True:
            postmaster = Postmaster.of(self.cluster)
            alive = [postmaster.pid] if postmaster and postmaster.is_alive else []
            working = [*alive, *processes_in(self.cluster)]
            if not working:
                return
            yield working[0]

    def _write(self, file: Path, text: str) -> None:
        # Never through a link that the account, which owns the folder, could have laid.
        made = file.with_name(f"{file.name}.new")
        made.unlink(missing_ok=True)
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(text)
        self.account.own(made)
        made.replace(file)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedPostgresError(
            f"The account we run as (uid {os.geteuid()}) has no name, which PostgreSQL needs: "
            "add it to /etc/passwd."
        ) from None
