"""A visitor reads pages and sends forms as a browser without scripts does."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2

from tests.adapters.http.web.house import MIRA, House

APART = frozenset(
    [
        "td",
        "th",
        "tr",
        "li",
        "dt",
        "dd",
        "p",
        "h1",
        "h2",
        "h3",
        "div",
        "section",
        "option",
        "button",
        "label",
        "a",
    ]
)
"""Elements whose text does not belong to the text before."""


@dataclass(slots=True)
class FormFound:
    """A form of a page: where it goes, how, and what its fields hold."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a page says: its text, its links, its forms, its ids."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response
        self.status = response.status_code
        self.html = response.text
        self.links: list[str] = []
        self.forms: list[FormFound] = []
        self.ids: list[str] = []
        self.text = ""
        self._by_id: dict[str, FormFound] = {}
        self._form: FormFound | None = None
        self._select: tuple[str, FormFound | None, list[tuple[str, bool]]] | None = None
        self._area: tuple[str, FormFound | None] | None = None
        self._skips = 0
        self._disabled: list[bool] = []
        self.feed(self.html)

    def form(self, action: str) -> FormFound:
        """The form that goes to an address."""
        found = [each for each in self.forms if urlsplit(each.action).path == action]
        found.sort(key=lambda form: form.method != "post")
        assert found, f"no form to {action}; there are {[each.action for each in self.forms]}"
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in APART:
            self.text += " "
        if tag == "fieldset":
            self._disabled.append("disabled" in given)
        if any(self._disabled):
            given["disabled"] = ""
        if "id" in given:
            self.ids.append(given["id"])
        match tag:
            case "a" if "href" in given:
                self.links.append(given["href"])
            case "form":
                self._form = FormFound(given.get("action", ""), given.get("method", "get"))
                self.forms.append(self._form)
                if "id" in given:
                    self._by_id[given["id"]] = self._form
            case "input":
                self._input(given)
            case "button" if given.get("type", "submit") == "submit" and "disabled" not in given:
                if owner := self._owner(given):
                    owner.buttons.append((given.get("name", ""), given.get("value", "")))
            case "select" if "disabled" not in given:
                self._select = (given.get("name", ""), self._owner(given), [])
            case "option" if self._select is not None:
                self._select[2].append((given.get("value", ""), "selected" in given))
            case "textarea":
                self._area = (given.get("name", ""), self._owner(given))
            case "script" | "style" | "noscript":
                self._skips += 1

    def _owner(self, given: dict[str, str]) -> FormFound | None:
        return self._by_id.get(given["form"]) if "form" in given else self._form

    def _input(self, given: dict[str, str]) -> None:
        owner = self._owner(given)
        if owner is None or "name" not in given or "disabled" in given:
            return
        if given.get("type") in ("checkbox", "radio") and "checked" not in given:
            return
        owner.fields.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "fieldset":
                self._disabled.pop()
            case "select" if self._select is not None:
                name, owner, options = self._select
                chosen = [value for value, is_on in options if is_on] or [
                    value for value, _ in options[:1]
                ]
                if owner is not None and chosen and name:
                    owner.fields.append((name, chosen[0]))
                self._select = None
            case "textarea":
                self._area = None
            case "script" | "style" | "noscript":
                self._skips -= 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            name, owner = self._area
            if owner is not None and name:
                owner.fields.append((name, data.removeprefix("\n")))
        elif not self._skips:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def heads(self) -> list[str]:
        """The words over the columns of a table."""
        cells = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', self.html, re.DOTALL)
        words = [" ".join(re.sub(r"<[^>]*>", "", cell).split()) for cell in cells]
        return [word for word in words if word]

    def inner_links(self) -> Iterator[str]:
        """The addresses of this site that the page leads to, without their fragments."""
        for link in self.links:
            if link.startswith("#"):
                continue
            target = urljoin(str(self.response.request.url), link)
            if urlsplit(target).netloc == self.response.request.url.netloc.decode():
                yield link.partition("#")[0]


@dataclass(slots=True)
class Visitor:
    """Someone who is signed in."""

    client: httpx2.AsyncClient

    async def get(self, address: str) -> Page:
        """Follow an address to where it leads."""
        return Page(await self.client.get(address, follow_redirects=True))

    async def post(self, address: str, fields: dict[str, Any]) -> httpx2.Response:
        return await self.client.post(address, data=fields)

    async def send(self, page: Page, action: str, press: str = "", **typed: Any) -> Page:
        """Fill a form of the page in and send it, by one of its buttons."""
        form = page.form(action)
        names = {re.sub("__", ".", name): str(value) for name, value in typed.items()}
        fields = [(name, value) for name, value in form.fields if name not in names]
        fields += list(names.items())
        if press:
            name = next(name for name, value in form.buttons if value == press)
            fields.append((name, press))
        response = await self.client.request(
            form.method.upper(),
            form.action,
            content=urlencode(fields).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            follow_redirects=True,
        )
        return Page(response)


@asynccontextmanager
async def visitor(house: House, who: str = MIRA) -> AsyncIterator[Visitor]:
    """Sign in by a link."""
    transport = httpx2.ASGITransport(app=house.app)
    async with httpx2.AsyncClient(transport=transport, base_url=house.url) as client:
        response = await client.post("/sign-in", data={"link": await house.link(who)})
        assert response.status_code == 303, response.text
        await client.get(response.headers["location"])
        yield Visitor(client)
