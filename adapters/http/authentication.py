"""Who asks, and from where: a token in a header or a session in a cookie."""

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import cast
from uuid import UUID

from starlette.requests import Request

from adapters.http.client_address import client_address
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
    """The headers by lower-case name; of one that came on several lines, the whole list."""
    return cast(Mapping[bytes, bytes], request.scope["state"]["headers"])


async def principal_of(request: Request) -> Principal | None:
    """Who asks; None when nobody says so or the token or session is no good (any more)."""
    edge = edge_of(request)
    now = edge.clock.now()
    token = token_of(request)
    if token is not None:
        return await principal_of_token(token, edge.cache, now)
    cookie = session_cookie_of(request)
    if cookie is not None:
        return await principal_of_session(cookie, edge.cache, now)
    return None


def token_of(request: Request) -> str | None:
    """The token that came in X-Auth-Token or as a bearer. Raises BadRequest for two of them."""
    given = headers_of(request)
    token = _text(given.get(b"x-auth-token"))
    scheme, _, bearer = given.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        return None if token is None else token.strip()
    if token is not None and token.strip() != bearer.strip():
        raise BadRequest("X-Auth-Token and Authorization hold different tokens: send one of them.")
    return bearer.strip()


def session_cookie_of(request: Request) -> str | None:
    """The session's cookie. Raises BadRequest when two of them came: one is another site's."""
    name = edge_of(request).site.session_cookie
    cookies = headers_of(request).get(b"cookie", b"").decode("latin-1").split(";")
    values = {
        value.strip()
        for key, _, value in (each.partition("=") for each in cookies)
        if key.strip() == name
    }
    if len(values) > 1:
        raise BadRequest(f"Cookie: {name} is there with different values.")
    return values.pop().strip('"') if values else None


def session_id_of(request: Request) -> UUID | None:
    """The id of the session whose cookie came along, good or not."""
    credential = Credential.read(SESSION_PREFIX, session_cookie_of(request) or "")
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
    """The address of whoever asks, behind the proxies that are trusted."""
    if request.client is None:
        return None
    forwarded = _text(headers_of(request).get(b"x-forwarded-for")) or ""
    trusted = edge_of(request).site.trusted_proxies
    return client_address(request.client.host, forwarded, trusted)


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
