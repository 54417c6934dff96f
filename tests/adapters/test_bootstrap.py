"""What is set is opened with care: a host that vanishes is not waited for for hours."""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from adapters.bootstrap import open_database
from adapters.settings import Settings
from tests.support import servers
from tests.support.servers.processes import free_port


async def test_a_database_that_vanishes_is_given_up_unless_told_otherwise(
    server_folder: Path,
) -> None:
    port = free_port()
    with servers.postgres(server_folder / "over-tcp", port=port):
        url = f"postgresql://quarterdeck@127.0.0.1:{port}/quarterdeck?keepalives_idle=7"
        async with open_database(Settings(database_url=url)) as dsn:
            known = conninfo_to_dict(dsn)
    assert (known["keepalives_idle"], known["tcp_user_timeout"]) == ("7", "30000")
    assert (known["host"], known["dbname"]) == ("127.0.0.1", "quarterdeck")
