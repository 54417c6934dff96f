"""Who is at the far end: the nearest address that is no trusted proxy's, in its canonical form.

Of what proxies say, X-Forwarded-For is read, and nothing else: neither Forwarded (RFC 7239) nor
X-Forwarded-Host or -Proto, nor X-Real-IP.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_HOPS = 50
"""No chain of proxies is longer; what stands before was written by whoever asks."""
IN_BRACKETS = re.compile(r"\[([^\]]*)\](?::\w*)?")
WITH_PORT = re.compile(r"([0-9.]+):\w*")


def client_address(peer: str, forwarded_for: str, trusted: Collection[str]) -> str:
    """The address behind the trusted proxies.

    `forwarded_for` is the whole list of X-Forwarded-For. Hops are read from its end, and only while
    a trusted proxy vouches for them. One without an address (`unknown`, `_hidden`) hides all that
    is behind it: the last known address stands for it.
    """
    known = address_of(peer)
    if known is None:
        return peer
    for hop in _from_the_end(forwarded_for):
        if not _is_within(known, trusted):
            break
        behind = address_of(hop)
        if behind is None:
            break
        known = behind
    return str(known)


def address_of(hop: str) -> Address | None:
    """The address of a hop, which may be quoted, in brackets, with a port or a zone.

    An IPv4 address that IPv6 carries is told as what it is (RFC 4291 §2.5.5.2); a zone means
    something on one machine only and is left out.
    """
    text = hop.strip().strip('"').strip()
    if found := IN_BRACKETS.fullmatch(text) or WITH_PORT.fullmatch(text):
        text = found[1]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _from_the_end(listed: str) -> Iterator[str]:
    """The elements of a list from its last one on; empty ones say nothing (RFC 9110 §5.6.1)."""
    hops = listed.rsplit(",", 2 * MAX_HOPS)
    given = [hop for hop in reversed(hops) if hop.strip()]
    yield from given[:MAX_HOPS]


def _is_within(address: Address, trusted: Collection[str]) -> bool:
    return any(address in network for network in _networks(tuple(trusted)))


@cache
def _networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(network, strict=False) for network in trusted)
