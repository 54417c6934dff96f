"""What the tests of the whole product stand on."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.adapters.http.web.house import House, open_house, served


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, tmp_path) as opened, served(opened):
        yield opened


@pytest.fixture
def folder(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where a program of the test's own keeps its data; it is not there yet."""
    path = server_folder / request.node.name[:40]
    yield path
    shutil.rmtree(path, ignore_errors=True)
