"""A request's id and trace are its caller's if they are well formed, and new ones if not."""

import re
from secrets import token_hex

REQUEST_ID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def request_id_of(given: bytes | None) -> str:
    """32 hex digits: the caller's UUID, with or without hyphens, or a new one."""
    if given is not None and REQUEST_ID.fullmatch(given.lower()):
        return given.lower().replace(b"-", b"").decode()
    return token_hex(16)


def traceparent_of(given: bytes | None) -> str | None:
    """The caller's traceparent (W3C Trace Context), if it is well formed."""
    return given.decode() if given is not None and TRACEPARENT.fullmatch(given) else None
