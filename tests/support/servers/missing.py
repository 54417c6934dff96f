"""A missing server is a skip on a desk and a failure in continuous integration."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class MissingServer(Exception):
    """The text is one line that says what to install."""


@contextmanager
def installed() -> Iterator[None]:
    """Skip where a server is missing, or fail where CI=true: there nothing may be left out."""
    try:
        yield
    except MissingServer as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
