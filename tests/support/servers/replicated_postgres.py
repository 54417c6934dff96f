"""A PostgreSQL with a standby that streams from it, and takes over when the primary dies."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from adapters.embedded import child
from adapters.embedded.account import Account
from adapters.embedded.binaries import binaries_for
from adapters.embedded.postgres import DATABASE, USER, EmbeddedPostgres
from tests.support.servers.lonely_network import PORT, LonelyNetwork
from tests.support.servers.postgres import postgres
from tests.support.servers.processes import free_port

RULES = "local all all trust\nhost all,replication all 127.0.0.1/32 trust\n"
STANDBY = "standby"
CAUGHT_UP_SECONDS = 30.0
SENT = "select 1 from pg_stat_replication where application_name = 'standby'"
IN_STEP = "select 1 from pg_stat_replication where sync_state = 'sync'"
REPLAYED = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"


class ReplicatedPostgres:
    """`primary` and `standby` on loopback; `dsn` names both, as operators do."""

    def __init__(
        self, primary: EmbeddedPostgres, standby: EmbeddedPostgres, *, synchronous: bool
    ) -> None:
        self.primary = primary
        self.standby = standby
        self._is_synchronous = synchronous
        self._ports = f"{primary.port},{standby.port}"
        self._follow()

    @property
    def primary_socket(self) -> Path:
        return self.primary.folder.socket_folder / f".s.PGSQL.{self.primary.port}"

    def dsn_through(self, network: LonelyNetwork) -> str:
        """The same, with the primary in a network of its own."""
        ports = f"{PORT},{self.standby.port}"
        return f"host={network.address},127.0.0.1 port={ports} user={USER} dbname={DATABASE}"

    @property
    def dsn(self) -> str:
        """Both hosts, and nothing said of which of them takes writes."""
        return f"host=127.0.0.1,127.0.0.1 port={self._ports} user={USER} dbname={DATABASE}"

    def catch_up(self) -> None:
        """Wait until the standby shows all that the primary has written."""
        with psycopg.connect(self.primary.tcp_dsn, autocommit=True) as connection:
            row = connection.execute("select pg_current_wal_lsn()::text").fetchone()
        assert row is not None
        with psycopg.connect(self.standby.tcp_dsn, autocommit=True) as connection:
            _until(lambda: connection.execute(REPLAYED, row).fetchone() == (True,))

    def hold_back(self) -> None:
        """From now on nothing reaches the standby, and the primary does not wait for it."""
        with psycopg.connect(self.standby.tcp_dsn, autocommit=True) as connection:
            connection.execute("alter system set primary_conninfo = ''")
            connection.execute("select pg_reload_conf()")
        with psycopg.connect(self.primary.tcp_dsn, autocommit=True) as connection:
            _until(lambda: connection.execute(SENT).fetchone() is None)

    def fail_over(self) -> None:
        """Kill the primary with all that belongs to it, and promote the standby."""
        self.kill_primary()
        self.promote()

    def kill_primary(self) -> None:
        os.kill(self.primary.pid, signal.SIGKILL)
        self.primary.stop()

    def promote(self) -> None:
        """The standby takes writes, and waits for no other, as failover managers see to it."""
        with psycopg.connect(self.standby.tcp_dsn, autocommit=True) as connection:
            connection.execute("select pg_promote()")
            connection.execute("alter system reset synchronous_standby_names")
            connection.execute("select pg_reload_conf()")

    def rejoin(self) -> None:
        """What was the primary is a standby of the other one now."""
        self.primary.stop()
        self.primary, self.standby = self.standby, self.primary
        shutil.rmtree(self.standby.folder.path)
        _copy(self.primary, self.standby.folder.path)
        self.standby.start()
        self._follow()

    def _follow(self) -> None:
        with psycopg.connect(self.primary.tcp_dsn, autocommit=True) as connection:
            _until(lambda: connection.execute(SENT).fetchone() is not None)
            if self._is_synchronous:
                # Only now: the first commit would wait for a standby that is not there yet.
                connection.execute(f"alter system set synchronous_standby_names = '{STANDBY}'")
                connection.execute("select pg_reload_conf()")
                _until(lambda: connection.execute(IN_STEP).fetchone() is not None)


@contextmanager
def replicated_postgres(folder: Path, *, synchronous: bool) -> Iterator[ReplicatedPostgres]:
    """A primary and its standby below `folder`; `synchronous`: what is acknowledged is on both."""
    rules = folder.parent / f"rules-{secrets.token_hex(4)}"
    rules.write_text(RULES)
    rules.chmod(0o644)
    settings = {"hba_file": str(rules), "wal_keep_size": "1GB"}
    with postgres(folder.with_name(f"{folder.name}-1"), port=free_port(), settings=settings) as one:
        other = folder.with_name(f"{folder.name}-2")
        _copy(one, other)
        with postgres(other, port=free_port(), settings=settings) as two:
            yield ReplicatedPostgres(one, two, synchronous=synchronous)


def _copy(primary: EmbeddedPostgres, folder: Path) -> None:
    """A standby's cluster in a folder of its own, as pg_basebackup makes it."""
    account = Account.for_cluster(primary.folder.cluster)
    folder.mkdir()
    folder.chmod(0o755)
    account.own(folder)
    source = f"{primary.tcp_dsn} application_name={STANDBY}"
    program = binaries_for(account).program("pg_basebackup")
    _run(account, program, "-D", str(folder / "cluster"), "-R", "-c", "fast", "-N", "-d", source)


def _run(account: Account, program: str, *arguments: str) -> None:
    numbers = [os.getpid(), int(signal.SIGKILL), account.uid, account.gid]
    interpreter = [sys.executable, "-I", "-S", str(child.__file__), *map(str, numbers)]
    done = subprocess.run(
        [*interpreter, program, *arguments], capture_output=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CAUGHT_UP_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError("the standby did not follow")
        time.sleep(0.02)
