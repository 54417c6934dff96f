"""What is set is opened with care: a host that vanishes is not waited for for hours."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from adapters.bootstrap import open_database
from adapters.postgres.reader import open_reader
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


@pytest.mark.parametrize(
    ("said", "meant"), [("", "primary"), ("read-write", "primary"), ("any", "any")]
)
async def test_of_several_hosts_the_one_is_meant_that_takes_writes(
    server_folder: Path, said: str, meant: str
) -> None:
    """libpq's read-write refuses sessions that are read only by their own wish, as readers' are."""
    port = free_port()
    with servers.postgres(server_folder / f"several-{meant}-{said}", port=port):
        url = f"host=127.0.0.1,127.0.0.1 port={port},{port} user=quarterdeck dbname=quarterdeck"
        asked = f"{url} target_session_attrs={said}" if said else url
        async with open_database(Settings(database_url=asked)) as dsn, open_reader(dsn) as reader:
            assert await reader.rows("select 1 as one") == [{"one": 1}]
    known = conninfo_to_dict(dsn)
    assert (known["target_session_attrs"], known["connect_timeout"]) == (meant, "3")
