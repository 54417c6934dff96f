"""Our renderer of templates, and the one that it is compared with in tests marked `full`."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from adapters.gotpl.renderer import SubprocessRenderer
from tests.adapters.gotpl.asking import SHORT
from tests.adapters.gotpl.go import GoTemplates
from tests.support.servers.missing import installed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer() -> AsyncIterator[SubprocessRenderer]:
    async with SubprocessRenderer(limits=SHORT) as renderer:
        yield renderer


@pytest.fixture(scope="session")
def go_templates() -> Iterator[GoTemplates]:
    with installed(), GoTemplates() as renderer:
        yield renderer
