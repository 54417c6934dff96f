"""The renderer that ours is compared with, for tests marked `full`."""

from collections.abc import Iterator

import pytest

from tests.adapters.gotpl.go import GoTemplates
from tests.support.servers.missing import installed


@pytest.fixture(scope="session")
def go_templates() -> Iterator[GoTemplates]:
    with installed(), GoTemplates() as renderer:
        yield renderer
