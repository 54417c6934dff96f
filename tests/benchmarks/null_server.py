"""The same server, answering a POST without a token, a command or a database."""

import socket
import sys

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def answer(request: Request) -> Response:
    """What was asked, back as JSON."""
    body = orjson.loads(await request.body())
    return Response(orjson.dumps(body), 201, media_type="application/json")


def main(port: int) -> None:
    app = Starlette(routes=[Route("/api/v1/workspaces", answer, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", http="httptools", ws="none"
    )
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
