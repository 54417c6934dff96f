"""Headers that keep browsers from doing with an answer what it is not for."""

from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
OVER_HTTPS = ((b"strict-transport-security", b"max-age=31536000; includeSubDomains"),)
OF_API = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
OF_PAGES = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API = "/api/"


class SecurityHeaders:
    """Adds what an answer does not say itself; a page finds its `csp_nonce` in the state."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._always = (*ALWAYS, *OVER_HTTPS) if is_https else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        of_this = OF_API if scope["path"].startswith(API) else _of_page(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message["headers"], *self._always]
                said = {name for name, _ in headers}
                headers.extend([one for one in of_this if one[0] not in said])
            await send(message)

        await self._app(scope, receive, answer)


def _of_page(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    nonce = scope["state"]["csp_nonce"] = token_hex(16)
    return ((b"content-security-policy", OF_PAGES.format(nonce=nonce).encode()),)
