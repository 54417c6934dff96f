"""Fixtures of the HTTP tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.http.house import House, furnish
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck


@pytest.fixture
async def quarterdeck(database: str, tmp_path: Path) -> AsyncIterator[Quarterdeck]:
    """A whole Quarterdeck over a database of the test's own."""
    async with open_quarterdeck(database, tmp_path) as opened:
        yield opened


@pytest.fixture
async def house(quarterdeck: Quarterdeck) -> House:
    """A furnished workspace in it."""
    return await furnish(quarterdeck)
