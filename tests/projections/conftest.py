"""The fixture of the read models' tests: a log of its own and what is shown of it."""

from collections.abc import AsyncIterator

import pytest

from tests.projections.scenario import Scenario, scenario


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    """An empty log, and read models that show nothing yet."""
    async with scenario(database) as scene:
        yield scene
