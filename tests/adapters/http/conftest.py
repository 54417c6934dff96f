"""Fixtures of the HTTP tests: a test module shares one Quarterdeck, each test has a workspace."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.adapters.http.house import House, furnish
from tests.adapters.http.quarterdeck import Quarterdeck, fresh_database, open_quarterdeck
from tests.support.servers import PostgresServer


@pytest.fixture(scope="module")
def module_database(postgres_server: PostgresServer) -> Iterator[str]:
    """A database that the tests of a module share."""
    with fresh_database(postgres_server) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quarterdeck(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Quarterdeck]:
    """A whole Quarterdeck; tests of one module know nothing of each other's workspaces."""
    async with open_quarterdeck(module_database, tmp_path_factory.mktemp("data")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def house(quarterdeck: Quarterdeck) -> House:
    """A furnished workspace in it, of the test's own."""
    return await furnish(quarterdeck)
