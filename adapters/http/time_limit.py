"""An answer begins within a bound, or the request ends with a sentence about it."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.problems import BodyTooSlow, TookTooLong


class TimeLimit:
    """Bounds the time to the first byte: what streams may go on."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = asyncio.timeout(self._seconds)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                limit.reschedule(None)
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive, answer)
        except TimeoutError:
            if not limit.expired():
                raise
            if scope["state"].get("waits_for_body"):
                raise BodyTooSlow(
                    f"The body did not arrive within {self._seconds:g} s.",
                    headers={"Connection": "close"},
                ) from None
            raise TookTooLong(
                f"The answer was not ready within {self._seconds:g} s. Whether a command took"
                " effect is not known: send it again with the same Idempotency-Key."
            ) from None
