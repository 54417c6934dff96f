"""Workspaces are made and changed by forms: refused at their fields, in effect once."""

from tests.adapters.http.web.fleet import EXAMPLE
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Visitor


async def test_a_workspace_is_made_and_is_where_one_comes_to(house: House, mira: Visitor) -> None:
    page = await mira.send(await mira.get("/workspaces/new"), "/workspaces", name="Payments EU")
    assert page.status == 200
    assert str(page.response.url).startswith(f"{house.url}/workspaces/payments-eu/clusters")
    assert "Payments EU is made." in page.words
    again = await mira.get("/workspaces/payments-eu/clusters")
    assert "Payments EU is made." not in again.words


async def test_a_refusal_stands_at_its_field_and_what_was_typed_stays(mira: Visitor) -> None:
    form = await mira.get("/workspaces/new")
    page = await mira.send(form, "/workspaces", name="Mine", slug="No Slug")
    assert page.status == 422
    assert 'aria-invalid="true"' in page.html
    assert dict(page.form("/workspaces").fields)["slug"] == "No Slug"
    assert dict(page.form("/workspaces").fields)["name"] == "Mine"


async def test_a_form_sent_twice_takes_effect_once(house: House, mira: Visitor) -> None:
    form = await mira.get("/workspaces/new")
    for _ in range(2):
        await mira.send(form, "/workspaces", name="Once")
    page = await mira.get("/")
    assert page.html.count('<td class="main-cell">') == 1


async def test_a_form_changed_after_it_was_sent_is_another_wish(mira: Visitor) -> None:
    form = await mira.get("/workspaces/new")
    await mira.send(form, "/workspaces", name="First")
    page = await mira.send(form, "/workspaces", name="Second")
    assert "Second is made." in page.words


async def test_the_settings_of_a_workspace(house: House, mira: Visitor) -> None:
    await house.example()
    page = await mira.get(f"{EXAMPLE}/settings")
    page = await mira.send(
        page,
        f"{EXAMPLE}/settings",
        name="Examples",
        change_mode="manual",
        check_interval=7,
        install_on_create="yes",
    )
    assert "Saved." in page.words
    fields = dict(page.form(f"{EXAMPLE}/settings").fields)
    assert {name: value for name, value in fields.items() if not name.startswith("seen.")} == {
        "name": "Examples",
        "slug": "example",
        "change_mode": "manual",
        "check_interval": "7",
        "install_on_create": "yes",
    }
    wrong = await mira.send(page, f"{EXAMPLE}/settings", check_interval="soon")
    assert wrong.status == 422
    assert "f-check_interval-bad" in wrong.ids


async def test_settings_changed_in_another_tab_are_not_put_over_without_a_word(
    house: House, mira: Visitor
) -> None:
    await house.example()
    address = f"{EXAMPLE}/settings"
    one, other = await mira.get(address), await mira.get(address)
    await mira.send(one, address, name="Theirs", check_interval=7)
    late = await mira.send(other, address, name="Mine", change_mode="manual")
    assert late.status == 409
    assert "These settings were changed while you wrote." in late.words
    assert "Name: Theirs now." in late.words
    assert "Checked every, minutes: 7 now." in late.words
    typed = dict(late.form(address).fields)
    assert (typed["name"], typed["change_mode"]) == ("Mine", "manual")
    over = await mira.send(late, address)
    assert "Saved." in over.words
    again = await mira.send(late, address)
    assert "Saved." in again.words


async def test_a_form_may_not_be_endless(mira: Visitor) -> None:
    answer = await mira.client.post(
        "/workspaces",
        content=b"name=" + b"a" * (1 << 21),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
