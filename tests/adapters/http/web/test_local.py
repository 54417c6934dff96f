"""An address that somebody sends leads into this site, or nowhere."""

import pytest

from adapters.http.web.local import back, own_address, with_query
from tests.adapters.http.hostile import ELSEWHERE

OURS = ("/%5Cevil.example", "/\u2028/evil.example")
"""Paths of this site, however they look."""


@pytest.mark.parametrize(
    "address",
    [
        *OURS,
        "/",
        "/clusters",
        "/workspaces/a/clusters?q=x&status=ready",
        "/a/",
        "/?next=//evil.example",
        "/sign-in?next=http://evil.example",
        "/prüfung",
    ],
)
def test_an_address_of_this_site_is_kept(address: str) -> None:
    assert back(address) == address


def test_a_fragment_is_left_out() -> None:
    assert back("/clusters?a=b#top") == "/clusters?a=b"


@pytest.mark.parametrize(
    "address",
    [
        *(address for address in ELSEWHERE if address not in OURS),
        "",
        "clusters",
        "/a//evil.example",
        "/.//evil.example",
        "/a/..//evil.example",
        "/a\\b",
        "/a?b=\\c",
        "/\x7f/evil.example",
        "/a\x00",
        "?a=b",
        "#a",
    ],
)
def test_any_other_address_leads_home(address: str) -> None:
    assert back(address) == "/"


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("//evil.example/", b"", "/"),
        ("/\\evil.example", b"", "/%5Cevil.example"),
        ("/a b", b"q=a b", "/a%20b?q=a%20b"),
        ("/a?b#c", b"d=\xff", "/a%3Fb%23c?d=%FF"),
        ("/a/../b", b"q=1", "/?q=1"),
        ("/\n/evil.example", b"", "/%0A/evil.example"),
    ],
)
def test_the_address_of_a_request_is_written_so_that_it_leads_back(
    path: str, query: bytes, address: str
) -> None:
    scope = {"type": "http", "path": path, "query_string": query}
    assert own_address(scope) == address
    assert back(own_address(scope)) == own_address(scope)


def test_parameters_are_set_anew_and_taken_away() -> None:
    assert with_query("/a?b=1&c=2#d", {"b": None, "e": ["x", "y"]}) == "/a?c=2&e=x&e=y#d"
