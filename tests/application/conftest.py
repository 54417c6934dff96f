"""A place for each test of clusters, in memory."""

import pytest

from tests.application.in_memory import Hub
from tests.application.places import Place, a_place


@pytest.fixture
async def place() -> Place:
    return await a_place(Hub())
