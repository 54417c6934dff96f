"""A PgBouncer is Debian's, configured as installed, in front of a PostgreSQL of the tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping

from adapters.embedded.account import Account
from tests.support.servers.missing import MissingServer
from tests.support.servers.server import Server, running
from tests.support.servers.stock_postgres import StockPostgres, stock_postgres

UP_SECONDS = 20.0
CONFIGURATION = """\
[databases]
* = host={server_host} port={server_port} auth_user={superuser}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/userlist.txt
pool_mode = {pool_mode}
{settings}"""


class PgBouncer(Server):
    """A pooler before the server of the connection string `behind`.

    Sizes and limits are the package's: 20 server connections to each database and user, and 100
    clients. Users are whoever is a role of the server; nobody needs a password.
    """

    def __init__(self, folder: Path, behind: str, pool_mode: str, settings: str) -> None:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None:
            raise MissingServer("No pgbouncer here: install the package pgbouncer.")
        super().__init__("pgbouncer", folder, Account.for_cluster(folder / "cluster"))
        self._program, self._behind = program, behind
        self._configure(pool_mode, settings)

    @property
    def dsn(self) -> str:
        """The superuser's connection string, through the pooler."""
        return make_conninfo(self._behind, host="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Listen; returns when it passes connections on."""
        command = [self._program, str(self.folder / "pgbouncer.ini")]
        self._launch(command, lambda: PGconn.ping(self.dsn.encode()) == Ping.OK, UP_SECONDS)

    def _configure(self, pool_mode: str, settings: str) -> None:
        server = conninfo_to_dict(self._behind)
        text = CONFIGURATION.format(
            server_host=server["host"],
            server_port=server["port"],
            superuser=server["user"],
            port=self.port,
            folder=self.folder,
            pool_mode=pool_mode,
            settings=settings,
        )
        (self.folder / "pgbouncer.ini").write_text(text)
        (self.folder / "userlist.txt").write_text(f'"{server["user"]}" ""\n')


class PooledPostgres:
    """A PostgreSQL behind a pooler, which are stopped and started together."""

    def __init__(self, server: StockPostgres, pooler: PgBouncer) -> None:
        self._server, self._pooler = server, pooler

    @property
    def dsn(self) -> str:
        return self._pooler.dsn

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        self._server.start()
        self._pooler.start()

    def stop(self) -> None:
        self._pooler.stop()
        self._server.stop()


@contextmanager
def pgbouncer(
    folder: Path, behind: str, pool_mode: str = "session", settings: str = ""
) -> Iterator[PgBouncer]:
    """A running pooler, gone afterwards; `settings` are more lines of its configuration."""
    with running(PgBouncer(folder, behind, pool_mode, settings)) as pooler:
        yield pooler


@contextmanager
def pooled_postgres(folder: Path) -> Iterator[PooledPostgres]:
    """Debian's PostgreSQL behind Debian's PgBouncer in session mode."""
    with (
        stock_postgres(folder / "server", 15) as server,
        pgbouncer(folder / "pooler", server.dsn) as pooler,
    ):
        yield PooledPostgres(server, pooler)
