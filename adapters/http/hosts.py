"""Only requests that name this server are answered, and only its own pages may use a session."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from adapters.http.edge import Site
from adapters.http.problems import BadRequest, ForeignOrigin, WrongHost

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked for by address, not by name."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(rb"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
"""A name or an address, with or without a port (RFC 9110 §7.2)."""
OWN_SITES = (b"same-origin", b"none")


class Hosts:
    """The names that this server answers to."""

    def __init__(self, site: Site) -> None:
        self._names = {site.host, *site.allowed_hosts}
        if site.host in LOOPBACK:
            self._names |= LOOPBACK
        self._is_open = "*" in site.allowed_hosts

    def check(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Raise WrongHost (DNS rebinding), BadRequest for a Host that is none or, for an unsafe
        method, ForeignOrigin."""
        if path in PROBES:
            return
        given = headers.get(b"host", b"")
        if not HOST.fullmatch(given):
            raise BadRequest("Host: It must be a name or an address, with or without a port.")
        named = host_of(given)
        if not self._is_open and named not in self._names:
            raise WrongHost(
                f"This server does not answer to the name {named[:100]!r};"
                " QUARTERDECK_ALLOWED_HOSTS adds names."
            )
        if method not in SAFE:
            check_origin(headers)


def host_of(header: bytes) -> str:
    """The name in a Host header, without the port and the brackets of an address."""
    name = header.decode("latin-1").lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def check_origin(headers: Mapping[bytes, bytes]) -> None:
    """Raise ForeignOrigin when a browser says that another site's page sent this.

    A request with a token in a header needs no origin: no page of another site can send one.
    """
    if b"x-auth-token" in headers or b"authorization" in headers:
        return
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        is_ours = site in OWN_SITES
    else:
        origin = headers.get(b"origin")
        is_ours = origin is None or netloc_of(origin) == headers.get(b"host", b"").lower()
    if not is_ours:
        raise ForeignOrigin("A page of another site may not do this in your name.")


def netloc_of(origin: bytes) -> bytes | None:
    """The host and port of an origin; None for what is none."""
    try:
        return urlsplit(origin.lower()).netloc or None
    except ValueError:
        return None
