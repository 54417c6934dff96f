"""Addresses inside this site: nobody is sent elsewhere by what stands in an address."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.types import Scope

LOCAL = re.compile(r"/(?:[^\x00-\x20\x7f\\/?#]+(?:/(?!/)|(?=[?#]|$)))*(?:[?#][^\x00-\x20\x7f\\]*)?")
"""A path of this site with what may follow it. Browsers read `//` and `/\\` at its head as another
host, take `\\` for `/` anywhere and leave out control characters, so none of these is in one."""
DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
KEPT_IN_PATH = "/:@!$&'()*+,;=~-._"
KEPT_IN_QUERY = f"{KEPT_IN_PATH}%?"


def is_local(address: str) -> bool:
    """Whether an address surely leads into this site, whoever reads it."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    return LOCAL.fullmatch(address) is not None and DOTS.search(path) is None


def back(address: str, otherwise: str = "/") -> str:
    """An address that somebody sent, if it is one of this site; `otherwise` for any other."""
    return address.partition("#")[0] if is_local(address) else otherwise


def own_path(scope: Scope) -> str:
    """The path that a request is for, percent-encoded; `/` for one that could lead elsewhere."""
    return back(quote(scope["path"], safe=KEPT_IN_PATH))


def own_address(scope: Scope) -> str:
    """The path that a request is for, with its query."""
    query = quote(scope["query_string"], safe=KEPT_IN_QUERY)
    return f"{own_path(scope)}?{query}" if query else own_path(scope)


def with_query(address: str, changes: Mapping[str, Any]) -> str:
    """The address with some parameters set anew; None takes one away, a list repeats it."""
    rest, mark, fragment = address.partition("#")
    path, _, given = rest.partition("?")
    kept = [pair for pair in parse_qsl(given, True) if pair[0] not in changes]
    for name, value in changes.items():
        values = value if isinstance(value, list | tuple) else [value]
        kept += [(name, str(item)) for item in values if item is not None and item != ""]
    query = urlencode(kept)
    return f"{path}{'?' if query else ''}{query}{mark}{fragment}"
