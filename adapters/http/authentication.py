"""Who asks, and from where: a token in a header or a session in a cookie."""

import os
from collections.abc import Collection, Mapping
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import cast
from uuid import UUID

from starlette.requests import Request

from adapters.http.edge import Edge
from adapters.http.problems import BadRequest
from application.auth_tokens import principal_of_token
from application.credentials import Credential
from application.permissions import Principal
from application.sign_in import SESSION_PREFIX, principal_of_session
from application.work import Context
from domain.model import Envelope, Fault

MAX_KEY = 255


def edge_of(request: Request) -> Edge:
    return cast(Edge, request.scope["state"]["edge"])


def headers_of(request: Request) -> Mapping[bytes, bytes]:
    """The headers by lower-case name; of one that came twice, the last."""
    return cast(Mapping[bytes, bytes], request.scope["state"]["headers"])


async def principal_of(request: Request) -> Principal | None:
    """Who asks; None when nobody says so or the token or session is no good (any more)."""
    edge = edge_of(request)
    now = edge.clock.now()
    token = token_of(request)
    if token is not None:
        return await principal_of_token(token, edge.cache, now)
    cookie = request.cookies.get(edge.site.session_cookie)
    if cookie is not None:
        return await principal_of_session(cookie, edge.cache, now)
    return None


def token_of(request: Request) -> str | None:
    """The token that came in X-Auth-Token or as a bearer."""
    given = headers_of(request)
    token = given.get(b"x-auth-token")
    if token is not None:
        return token.decode("latin-1").strip()
    scheme, _, bearer = given.get(b"authorization", b"").decode("latin-1").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else None


def session_id_of(request: Request) -> UUID | None:
    """The id of the session whose cookie came along, good or not."""
    cookie = request.cookies.get(edge_of(request).site.session_cookie, "")
    credential = Credential.read(SESSION_PREFIX, cookie)
    return credential.id if credential else None


def context_of(request: Request, principal: Principal) -> Context:
    """What goes around a command that this request asks for."""
    state = request.scope["state"]
    request_id: str = state["request_id"]
    known: Envelope = {
        "request_id": request_id,
        "pid": os.getpid(),
        "correlation_id": UUID(hex=request_id),
    }
    if (remote_address := remote_address_of(request)) is not None:
        known["remote_address"] = remote_address
    if state["traceparent"] is not None:
        known["traceparent"] = state["traceparent"]
    key = _text(headers_of(request).get(b"idempotency-key"))
    return Context(principal, known, command_id_of(key, principal))


def command_id_of(key: str | None, principal: Principal) -> str | None:
    """The Idempotency-Key made particular to who asks: nobody can meet another's."""
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        detail = f"It must be 1 to {MAX_KEY} printable ASCII characters."
        fault = Fault(pointer="Idempotency-Key", detail=detail)
        raise BadRequest(f"Idempotency-Key: {detail}", faults=[fault])
    return sha256(f"{principal.actor.type} {principal.actor.id} {key}".encode()).hexdigest()


def remote_address_of(request: Request) -> str | None:
    """The nearest address that is no trusted proxy's."""
    peer = request.client.host if request.client else None
    trusted = edge_of(request).site.trusted_proxies
    if peer is None or not trusted or not _is_within(peer, trusted):
        return peer
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        peer = hop
        if not _is_within(hop, trusted):
            break
    return peer


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(address: str, networks: Collection[str]) -> bool:
    if not _is_address(address):
        return False
    return any(ip_address(address) in ip_network(network, strict=False) for network in networks)
