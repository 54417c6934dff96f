"""What the tests of the whole product stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.http.web.house import House, open_house, served


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, tmp_path) as opened, served(opened):
        yield opened
