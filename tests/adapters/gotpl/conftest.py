"""The renderer that ours is compared with, for tests marked `full`."""

import os
from collections.abc import Iterator

import pytest

from tests.adapters.gotpl.go import GoTemplates
from tests.support.servers import MissingServer


@pytest.fixture(scope="session")
def go_templates() -> Iterator[GoTemplates]:
    """Missing, it is a skip here and a failure where CI=true."""
    try:
        renderer = GoTemplates()
    except MissingServer as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with renderer:
        yield renderer
