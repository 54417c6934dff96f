"""A stock PostgreSQL is one of a major version as its users have it: with default settings."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from adapters.embedded.account import Account
from adapters.embedded.binaries import binaries_for
from tests.support.servers.missing import MissingServer
from tests.support.servers.processes import as_account
from tests.support.servers.server import Server
from tests.support.servers.testbed import made

VERSIONS = (15, 16, 17, 18)
DEBIANS = Path("/usr/lib/postgresql/15")
SUPERUSER = "postgres"
UP_SECONDS = 60.0
NEW_DATABASE = """
    do $$ begin
        if not exists (select from pg_roles where rolname = '{owner}') then
            create role {owner} login;
        end if;
        if not exists (select from pg_roles where rolname = 'quarterdeck_process') then
            create role quarterdeck_process login;
        end if;
    end $$;
    grant quarterdeck_process to {owner};
"""
"""What the guide has an administrator say, where the owner may make no roles."""


CERTIFICATE = ["/usr/bin/openssl", "req", "-new", "-x509", "-nodes", "-subj", "/CN=localhost"]


class StockPostgres(Server):
    """One server of a major version; who signs in over 127.0.0.1 needs no password.

    Nothing is set but where it listens: fsync, buffers, jit and the number of connections are
    PostgreSQL's own defaults. Debian's takes TLS, as its own command for new clusters sets it.
    """

    stop_signal = signal.SIGINT  # a fast shutdown: it waits for nobody

    def __init__(self, folder: Path, version: int) -> None:
        super().__init__("postgres", folder, Account.for_cluster(folder / "cluster"))
        self._programs = _programs(version, self.account, folder.parent)
        self._takes_tls = version == 15
        self._create_cluster()

    @property
    def dsn(self) -> str:
        """The superuser's connection string."""
        return f"host=127.0.0.1 port={self.port} user={SUPERUSER} dbname=postgres"

    def owned_database(self, name: str, owner: str = "hub_owner") -> str:
        """The connection string of a new database for its owner, who is no superuser.

        The role of processes is there too and owns nothing.
        """
        with psycopg.connect(self.dsn, autocommit=True) as administrator:
            administrator.execute(NEW_DATABASE.format(owner=owner).encode())
            administrator.execute(f"create database {name} owner {owner}".encode())
        return make_conninfo(self.dsn, dbname=name, user=owner)

    def start(self) -> None:
        """Listen; returns when connections are accepted, also after a crash."""
        self._launch(
            [
                *[str(self._programs / "postgres"), "-D", str(self._cluster)],
                *["-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1"],
                *["-c", f"unix_socket_directories={self.folder}"],
                *(["-c", "ssl=on"] if self._takes_tls else []),
            ],
            lambda: PGconn.ping(self.dsn.encode()) == Ping.OK,
            UP_SECONDS,
        )

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _create_cluster(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._cluster), "-U", SUPERUSER]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync"]
        self._run(command)
        if self._takes_tls:
            cluster = str(self._cluster)
            files = ["-keyout", f"{cluster}/server.key", "-out", f"{cluster}/server.crt"]
            self._run([*CERTIFICATE, *files])

    def _run(self, command: list[str]) -> None:
        subprocess.run(
            as_account(self.account, command),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


@contextmanager
def stock_postgres(folder: Path, version: int) -> Iterator[StockPostgres]:
    """A running server, gone afterwards."""
    server = StockPostgres(folder, version)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _programs(version: int, account: Account, reachable: Path) -> Path:
    """The folder of `initdb` and `postgres`: Debian's 15, the wheel's 18, Maven's in between."""
    if version == 18:
        return binaries_for(account).folder / "bin"
    if version == 15:
        if not DEBIANS.exists():
            raise MissingServer("No PostgreSQL 15 here: install the package postgresql-15.")
        return DEBIANS / "bin"
    programs = made("postgresql") / str(version)
    if account.obstacle(programs) is None:
        return programs / "bin"
    # The cache of root is closed to the account.
    copy = reachable / f"postgresql-{version}"
    if not copy.exists():
        shutil.copytree(programs, copy, symlinks=True)
    return copy / "bin"
