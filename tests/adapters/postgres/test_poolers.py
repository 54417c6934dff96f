"""A pooler in front of PostgreSQL: session mode works, one that shares connections is refused."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.postgres.requirements import UnsuitableServer, check_server
from tests.support import servers
from tests.support.quarterdeck import Quarterdeck, eventually
from tests.support.servers.missing import installed

pytestmark = pytest.mark.full
NAME = "Prüfung 🚢"
STARTUP_PARAMETERS = ["", "options,extra_float_digits", "extra_float_digits"]


@pytest.fixture(scope="module")
def stock(server_folder: Path) -> Iterator[servers.StockPostgres]:
    """Debian's PostgreSQL 15 as installed."""
    with installed(), servers.stock_postgres(server_folder / "stock", 15) as server:
        yield server


@pytest.mark.parametrize("pool_mode", ["transaction", "statement"])
@pytest.mark.parametrize("settings", ["", "server_round_robin = 1\nmin_pool_size = 3\n"])
async def test_a_pooler_that_shares_connections_is_refused(
    server_folder: Path, stock: servers.StockPostgres, pool_mode: str, settings: str
) -> None:
    folder = server_folder / f"pooler-{pool_mode}-{len(settings)}"
    with servers.pgbouncer(folder, stock.dsn, pool_mode, settings) as pooler:
        for _ in range(3):
            with pytest.raises(UnsuitableServer, match="set pool_mode = session"):
                await check_server(pooler.dsn)


@pytest.mark.parametrize("ignored", STARTUP_PARAMETERS)
async def test_a_pooler_in_session_mode_is_taken(
    server_folder: Path, stock: servers.StockPostgres, ignored: str
) -> None:
    folder = server_folder / f"pooler-session-{len(ignored)}"
    settings = f"ignore_startup_parameters = {ignored}\n" if ignored else ""
    with servers.pgbouncer(folder, stock.dsn, settings=settings) as pooler:
        await check_server(pooler.dsn)


async def test_a_pooler_whose_sessions_are_all_taken_is_told_in_time(
    server_folder: Path, stock: servers.StockPostgres
) -> None:
    folder = server_folder / "pooler-full"
    with (
        servers.pgbouncer(folder, stock.dsn, settings="default_pool_size = 1\n") as pooler,
        psycopg.connect(pooler.dsn) as taken,
    ):
        taken.execute("select 1")
        with pytest.raises(psycopg.OperationalError, match="gave no session within 10 s"):
            await check_server(pooler.dsn)


@pytest.mark.slow
def test_the_whole_program_runs_behind_a_pooler_as_installed(
    server_folder: Path, stock: servers.StockPostgres, tmp_path: Path
) -> None:
    """With 20 server connections `up` and an operation beside it have what they need."""
    owner = stock.owned_database("pooled")
    with servers.pgbouncer(server_folder / "pooler-up", stock.dsn) as pooler:
        program = Quarterdeck(tmp_path)
        program.settings["database_url"] = make_conninfo(owner, port=pooler.port)
        migrated = program.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "keys").write_text(program.run("keys", "generate").stdout)
        process = make_conninfo(owner, port=pooler.port, user="quarterdeck_process")
        program.settings["database_url"] = process
        try:
            program.start()
            api = program.client(program.token("--global"))
            api.ok("POST", "workspaces", {"name": NAME, "slug": "pooled"})
            eventually(lambda: [each["name"] for each in api.ok("GET", "workspaces")] == [NAME], 20)
            verified = program.run("verify")
            assert verified.returncode == 0, verified.stderr
            assert program.stop() == 0
        finally:
            program.close()
