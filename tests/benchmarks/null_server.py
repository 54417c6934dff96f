"""The same server without a database: the whole application over the store in memory."""

import socket
import sys
from typing import Any, cast

from adapters.clock import SystemClock
from adapters.http.app import build
from adapters.http.edge import Edge, Site
from adapters.memory.documents import InMemoryDocuments
from adapters.memory.event_store import InMemoryEventStore
from adapters.memory.key_pairs import NumberedKeyPairs
from adapters.memory.renderer import PlainRenderer
from adapters.memory.vault import InMemoryVault
from adapters.observability.metrics import PrometheusMeasures
from adapters.processes.serving import bind, serve_http
from adapters.running import run
from application.auth_tokens import CreateAuthToken
from application.commands import CommandBus
from application.index import HANDLERS
from application.permissions import QUARTERDECK
from application.state_cache import StateCache
from application.work import Context, World


async def main(port: int, token_file: str) -> None:
    """Serve on the port, after a global token was written to the file."""
    clock, renderer = SystemClock(), PlainRenderer()
    store = InMemoryEventStore(clock)
    documents = InMemoryDocuments(store)
    world = World(store, documents, InMemoryVault(), clock, renderer, NumberedKeyPairs())
    cache = StateCache(store)
    bus = CommandBus(world, cache, HANDLERS)
    made = await bus.execute(CreateAuthToken(name="bench"), Context(QUARTERDECK))
    with open(token_file, "w") as file:
        file.write(made.result.token)
    nothing = cast(Any, None)
    edge = Edge(
        bus=bus,
        cache=cache,
        clock=clock,
        reads=nothing,
        log=nothing,
        documents=documents,
        task_logs=nothing,
        renderer=renderer,
        events=nothing,
        site=Site(public_url=f"http://localhost:{port}"),
        measures=PrometheusMeasures(),
    )
    listener: socket.socket = bind("127.0.0.1", port)
    await serve_http(build(edge), listener)


if __name__ == "__main__":
    run(main(int(sys.argv[1]), sys.argv[2]))
