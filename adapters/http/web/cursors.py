"""A cursor comes from an address that a person may change: one that is not ours is a mistake."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.http.problems import BadRequest
from projections.reader import BadCursor


@contextmanager
def cursor_of_ours() -> Iterator[None]:
    """Around a query for a page: raise BadRequest where it raises BadCursor."""
    try:
        yield
    except BadCursor as error:
        raise BadRequest(str(error)) from error
