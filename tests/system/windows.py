"""A browser's window over a whole house, in which nothing may go wrong."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Page, Request, Response

from projections.cluster_list import ClusterFilter, clusters_where
from tests.adapters.http.web.house import House

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@dataclass
class Window:
    """A browser window that hears everything that goes wrong in it."""

    context: BrowserContext
    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)
    scripts: dict[str, int] = field(default_factory=dict)

    async def go(self, address: str) -> None:
        await self.page.goto(f"{self.url}{address}")

    def listen(self) -> None:
        self.page.on("console", lambda it: self._hear(it.type, it.text))
        self.page.on("pageerror", lambda it: self.wrong.append(f"page error: {it}"))
        self.page.on("request", self._watch)
        self.page.on("response", self._weigh)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"{kind}: {text}")

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.wrong.append(f"request to {request.url}")

    def _weigh(self, response: Response) -> None:
        if response.request.resource_type == "script":
            path = response.url.removeprefix(self.url).partition("?")[0]
            body = Path(f"adapters/http/web{path}").read_bytes()
            self.scripts[path] = len(gzip.compress(body, 9))


@asynccontextmanager
async def window(
    house: House, chromium: Browser, *, signs_in: bool = True, **options: Any
) -> AsyncIterator[Window]:
    """A window of a browser with a new profile; nothing may have gone wrong when it closes."""
    options = {"viewport": WIDE, "color_scheme": "light", **options}
    context = await chromium.new_context(**options)
    await context.add_init_script(VIOLATIONS)
    opened = Window(context, await context.new_page(), house.url)
    opened.listen()
    if signs_in:
        await opened.go(f"/sign-in?link={await house.link()}")
        await opened.page.get_by_role("button", name="Sign in with this link").click()
        await opened.page.get_by_role("main").wait_for()
    yield opened
    await context.close()
    assert not opened.wrong, opened.wrong


async def cluster_called(house: House, name: str) -> UUID:
    found = await clusters_where(await house.reads.reader(), ClusterFilter(text=name))
    return UUID(found.rows[0]["id"])


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
