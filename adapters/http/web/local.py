"""Addresses inside this site: nobody is sent elsewhere by what stands in an address."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


def back(address: str, otherwise: str = "/") -> str:
    """The path of an address of this site; `otherwise` for anything that could lead elsewhere."""
    parts = urlsplit(address.replace("\\", "/"))
    path = parts.path
    if not path.startswith("/") or path.startswith("//") or any(ord(c) < 33 for c in address):
        return otherwise
    return f"{path}?{parts.query}" if parts.query else path


def with_query(address: str, changes: Mapping[str, Any]) -> str:
    """The address with some parameters set anew; None takes one away, a list repeats it."""
    parts = urlsplit(address)
    kept = [pair for pair in parse_qsl(parts.query, True) if pair[0] not in changes]
    for name, value in changes.items():
        values = value if isinstance(value, list | tuple) else [value]
        kept += [(name, str(item)) for item in values if item is not None and item != ""]
    query = urlencode(kept)
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.path}{'?' if query else ''}{query}{fragment}"
