"""Headers that keep browsers from doing with an answer what it is not for."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

Header = tuple[bytes, bytes]

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
OVER_HTTPS: tuple[Header, ...] = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
OF_API: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
OF_PAGES = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API = "/api/"


def unless_said(path: str, state: dict[str, Any]) -> tuple[Header, ...]:
    """What is added to an answer that does not say it itself; a page's nonce is in its state."""
    if path.startswith(API):
        return OF_API
    nonce = state["csp_nonce"] = token_hex(16)
    return ((b"content-security-policy", OF_PAGES.format(nonce=nonce).encode()),)


def with_all(
    said: Sequence[Header], always: Sequence[Header], unless: Sequence[Header]
) -> list[Header]:
    """The headers of an answer with those that are always there, and those it does not say."""
    names = {name for name, _ in said}
    return [*said, *always, *(one for one in unless if one[0] not in names)]
