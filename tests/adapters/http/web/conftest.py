"""A house for each test: the pages over a PostgreSQL of the test's own, and somebody signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.adapters.http.web.house import House, open_house
from tests.adapters.http.web.visitor import Visitor, visitor


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, tmp_path) as opened:
        yield opened


@pytest.fixture
async def mira(house: House) -> AsyncIterator[Visitor]:
    """Someone who signed in by a link."""
    async with visitor(house) as signed_in:
        yield signed_in


@pytest.fixture
async def stranger(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    """Someone who did not."""
    transport = httpx2.ASGITransport(app=house.app)
    async with httpx2.AsyncClient(transport=transport, base_url=house.url) as client:
        yield client
