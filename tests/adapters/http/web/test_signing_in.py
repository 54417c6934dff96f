"""One comes in by a link that works once, and goes out for good."""

import httpx2

from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor


async def test_who_is_not_signed_in_is_sent_to_the_door_and_back(
    house: House, stranger: httpx2.AsyncClient
) -> None:
    answer = await stranger.get("/audit?who=Mira")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Faudit%3Fwho%3DMira"
    page = Page(await stranger.get(answer.headers["location"]))
    form = dict(page.form("/sign-in").fields)
    entered = await stranger.post("/sign-in", data=form | {"link": await house.link()})
    assert entered.headers["location"].startswith("/audit?who=Mira&after=")


async def test_the_link_alone_uses_nothing_up(house: House, stranger: httpx2.AsyncClient) -> None:
    link = await house.link()
    for _ in range(2):
        page = Page(await stranger.get(f"/sign-in?link={link}"))
        assert dict(page.form("/sign-in").fields)["link"] == link
    assert (await stranger.post("/sign-in", data={"link": link})).status_code == 303
    again = await stranger.post("/sign-in", data={"link": link})
    assert again.status_code == 403
    assert "used or has run out" in again.text


async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    house: House, stranger: httpx2.AsyncClient
) -> None:
    answer = await stranger.post("/sign-in", data={"link": await house.link()})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


async def test_the_whole_address_may_be_pasted(house: House, stranger: httpx2.AsyncClient) -> None:
    pasted = f"{house.url}/sign-in?link={await house.link()}"
    assert (await stranger.post("/sign-in", data={"link": pasted})).status_code == 303


async def test_nobody_is_sent_to_another_site(house: House, stranger: httpx2.AsyncClient) -> None:
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"):
        answer = await stranger.post("/sign-in", data={"link": await house.link(), "next": target})
        assert answer.headers["location"].startswith("/?after="), target


async def test_a_form_of_another_site_is_refused(mira: Visitor) -> None:
    answer = await mira.client.post(
        "/workspaces", data={"name": "Mine"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_signed_out_is_out(mira: Visitor) -> None:
    cookies = dict(mira.client.cookies)
    answer = await mira.client.post("/sign-out")
    assert answer.headers["location"] == "/sign-in?out=1"
    mira.client.cookies.update(cookies)
    assert (await mira.client.get("/")).status_code == 303


async def test_it_is_the_person_who_signs_in(mira: Visitor) -> None:
    page = await mira.get("/audit?kind=Session")
    assert "Mira Okafor create Mira Okafor Session signed in" in page.words
