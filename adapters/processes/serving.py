"""Serve the ASGI application on a socket that was bound before anything else was started."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from adapters.bootstrap import CannotStart
from adapters.http.unread_answers import UnreadAnswers
from adapters.http.wire import BoundedProtocol

GRACE_SECONDS = 5


def bind(host: str, port: int, choose: str = "--port or QUARTERDECK_PORT") -> socket.socket:
    """A listening socket. Raises CannotStart with one sentence when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Port {port} on {host} cannot be used: {(error.strerror or str(error)).lower()}."
            f" Choose another one with {choose}."
        ) from None
    return listener


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has one lifetime for all its parts."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_http(
    app: ASGIApp, listener: socket.socket, grace_seconds: int = GRACE_SECONDS
) -> None:
    """Serve until cancelled; then let requests end, at most for the grace period."""
    connections: set[BoundedProtocol] = set()
    unread = UnreadAnswers(connections)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=True,
            lifespan="off",
            http=partial(BoundedProtocol, unread=unread),  # type: ignore[arg-type]
            ws="none",
            timeout_graceful_shutdown=grace_seconds,
        )
    )
    server.server_state.connections = connections  # type: ignore[assignment]
    watching = asyncio.create_task(unread.watch(), name="unread answers")
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    finally:
        watching.cancel()
