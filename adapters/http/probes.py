"""What those who watch over this process ask: does it live, can it serve, what has it counted."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.edge import Measures, Readiness


def alone(readiness: Readiness, measures: Measures) -> Starlette:
    """All that a process serves which has neither pages nor an API."""
    return Starlette(routes=routes(readiness, measures))


def routes(readiness: Readiness, measures: Measures) -> list[Route]:
    """/livez, /readyz and /metrics; they need no token and tell no secret."""

    async def live(_: Request) -> Response:
        return Response("alive\n", media_type="text/plain")

    async def ready(_: Request) -> Response:
        reasons = await readiness()
        if reasons:
            text = "\n".join(reasons)
            return Response(f"{text}\n", 503, {"Retry-After": "1"}, media_type="text/plain")
        return Response("ready\n", media_type="text/plain")

    async def metrics(_: Request) -> Response:
        body, media_type = await measures.exposition()
        return Response(body, headers={"Content-Type": media_type})

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
