"""The client's address behind proxies: whatever they write, and whatever the client wrote first."""

import pytest

from adapters.http.client_address import MAX_HOPS, client_address

TRUSTED = ("127.0.0.0/8", "10.0.0.0/8", "fd00::/8")
FORGED = "198.51.100.66"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51008", "203.0.113.7"),
        ("203.0.113.7:_port", "203.0.113.7"),
        ('"203.0.113.7:51008"', "203.0.113.7"),
        ("203.0.113.7,", "203.0.113.7"),
        (" , ,203.0.113.7 ,\t,", "203.0.113.7"),
        (f"{FORGED}, 203.0.113.7", "203.0.113.7"),
        (f"{FORGED}, 203.0.113.7:80, 10.1.2.3:4711", "203.0.113.7"),
        ("[2001:db8::7]:51008", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ('"[2001:DB8:0:0::0007]:51008"', "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("[fe80::7%25eth0]:80", "fe80::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:cb00:7107]:80", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.7", "203.0.113.7"),
        ("203.0.113.7, fd00::1", "203.0.113.7"),
        (f"{FORGED}, unknown", "127.0.0.1"),
        (f"{FORGED}, _hidden, 10.0.0.7", "10.0.0.7"),
        (f"{FORGED}, nonsense", "127.0.0.1"),
        (f"{FORGED}, 010.0.0.1", "127.0.0.1"),
        (f"{FORGED}, ٢٠٣.0.113.7", "127.0.0.1"),
        ("10.0.0.1, 10.0.0.7", "10.0.0.1"),
        ("", "127.0.0.1"),
        (",,,", "127.0.0.1"),
    ],
)
def test_the_nearest_address_that_is_no_proxys_counts(forwarded: str, address: str) -> None:
    assert client_address("127.0.0.1", forwarded, TRUSTED) == address


def test_a_proxy_that_came_over_ipv6_is_trusted_as_what_it_is() -> None:
    assert client_address("::ffff:127.0.0.1", "203.0.113.7", TRUSTED) == "203.0.113.7"


def test_a_peer_that_is_no_proxy_is_believed_nothing() -> None:
    assert client_address("192.0.2.1", FORGED, TRUSTED) == "192.0.2.1"
    assert client_address("::ffff:192.0.2.1", FORGED, TRUSTED) == "192.0.2.1"


def test_a_chain_of_forged_proxies_is_followed_to_a_bound() -> None:
    forged = ",".join([FORGED, *["10.0.0.1"] * (MAX_HOPS + 5)])
    assert client_address("127.0.0.1", forged, TRUSTED) == "10.0.0.1"
