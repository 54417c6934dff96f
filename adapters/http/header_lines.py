"""Header lines of one name are one list (RFC 9110 §5.3), or the request is ambiguous."""

from collections.abc import Iterable

from adapters.http.problems import BadRequest
from domain.model import Fault

Header = tuple[bytes, bytes]

SINGLE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"last-event-id",
        b"origin",
        b"sec-fetch-site",
        b"x-auth-token",
    }
)
"""Those that say one thing. Parts of the way here may believe the first line or the last one, so
a second one is refused, also when it says the same."""


def combined(lines: Iterable[Header]) -> dict[bytes, bytes]:
    """The value of each header by its lower-case name; of one that came on several lines, all."""
    values: dict[bytes, bytes] = {}
    for name, value in lines:
        before = values.get(name)
        values[name] = value if before is None else before + _separator(name) + value
    return values


def must_be_unambiguous(lines: Iterable[Header]) -> None:
    """Raise BadRequest for a header that says one thing and came twice."""
    seen: set[bytes] = set()
    for name, _ in lines:
        if name in SINGLE and name in seen:
            raise _twice(name.decode("latin-1").title())
        seen.add(name)


def _separator(name: bytes) -> bytes:
    return b"; " if name == b"cookie" else b", "


def _twice(name: str) -> BadRequest:
    detail = "It may be there only once."
    return BadRequest(f"{name}: {detail}", faults=[Fault(pointer=name, detail=detail)])
