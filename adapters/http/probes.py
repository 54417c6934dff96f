"""What those who watch over this process ask: does it live, can it serve, what has it counted."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.edge import Edge


def routes(edge: Edge) -> list[Route]:
    """/livez, /readyz and /metrics; they need no token and tell no secret."""

    async def live(_: Request) -> Response:
        return Response("alive\n", media_type="text/plain")

    async def ready(_: Request) -> Response:
        reasons = await edge.readiness()
        if reasons:
            text = "\n".join(reasons)
            return Response(f"{text}\n", 503, {"Retry-After": "1"}, media_type="text/plain")
        return Response("ready\n", media_type="text/plain")

    async def metrics(_: Request) -> Response:
        body, media_type = await edge.measures.exposition()
        return Response(body, headers={"Content-Type": media_type})

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
