"""What is secret is shown once or never, and what was erased is missed by no page."""

from uuid import UUID

import pytest

from application.cluster_templates import CreateClusterTemplate, SectionText
from application.data_keys import EraseDataKey
from application.ports import Erased
from tests.adapters.http.web.fleet import EXAMPLE, change, clusters_of, fill, install
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Visitor


async def test_a_token_is_shown_once(house: House, mira: Visitor) -> None:
    form = await mira.get("/tokens")
    page = await mira.send(form, "/tokens", name="terraform-ci")
    assert page.status == 201
    token = page.html.partition('id="new-token">')[2].partition("<")[0]
    assert token.startswith("qdt_")
    again = await mira.send(form, "/tokens", name="terraform-ci")
    assert token not in again.html
    assert "is not shown again" in again.words
    assert token not in (await mira.get("/tokens")).html
    headers = {"X-Auth-Token": token}
    assert (await mira.client.get("/api/v1/workspaces", headers=headers)).status_code == 200
    revoke = next(form for form in again.forms if form.action.endswith("/revoke"))
    page = await mira.send(again, revoke.action)
    assert "It is revoked and lets nobody in." in page.words
    mira.client.cookies.clear()
    assert (await mira.client.get("/api/v1/workspaces", headers=headers)).status_code == 401


async def test_no_secret_is_on_any_page(house: House, mira: Visitor) -> None:
    workspace_id = await house.example()
    secret = "Pl4nted-Secret-7f3a"
    params = ({"key": "password", "title": "Password", "type": "string", "format": "password"},)
    source = "password: {{ .password }}\nkey: {{ .dc_sshPrivateKey | b64enc }}\n"
    template = await house.do(
        CreateClusterTemplate(
            workspace_id=workspace_id,
            name="secretive",
            params=params,
            sections=(SectionText(name="All", source=source),),
        )
    )
    await house.shown()
    form = await mira.get(f"{EXAMPLE}/clusters/new?template={template.result}")
    page = await mira.send(
        form, f"{EXAMPLE}/clusters", press="save", name="keeper", values__password=secret
    )
    home = page.response.url.path
    await install(house, workspace_id, UUID(home.rpartition("/")[2]))
    await house.shown()
    pages = [
        await mira.get(f"{home}{path}")
        for path in ("", "/configuration", "/configuration?show=diff", "/history?every=1")
    ]
    pages += [await mira.get(address) for address in ("/audit", "/audit.csv", "/audit.jsonl")]
    pages += [
        await mira.get(f"{home}/history?every=1&open={row}")
        for row in range(1, await house.hub.store.head() + 1)
        if f'id="e-{row}"' in pages[3].html
    ]
    wrong = await mira.send(
        form, f"{EXAMPLE}/clusters", press="save", name="keeper", values__password=secret
    )
    for page in [*pages, wrong]:
        assert secret not in page.html, page.response.url
        assert "PRIVATE KEY" not in page.html, page.response.url
    assert "********" in pages[1].html
    kept = await mira.send(pages[1], f"{home}/configuration", name="keeper-2")
    assert "Saved." in kept.words


async def test_a_cluster_whose_key_is_erased_is_shown_and_nothing_fails(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["pay-prod-fra-1"])
    address = f"{EXAMPLE}/clusters/{cluster_id}"
    before = await mira.get(f"{address}/configuration")
    assert "# erased" not in before.html

    await house.manage(EraseDataKey(subject_id=cluster_id, reason="They left.", ordered_by="Mira"))
    await house.hub.data_keys.erase(cluster_id)
    house.hub.vault.forget()
    house.hub.documents.forget()
    await house.shown()

    for page in ("", "/configuration", "/history", "/infrastructure"):
        assert (await mira.get(f"{address}{page}")).status == 200, page
    assert "# erased" in (await mira.get(f"{address}/configuration")).html
    assert "erased the secrets" in (await mira.get("/audit")).words
    with pytest.raises(Erased):
        await change(house, workspace_id, cluster_id, greeting="Hello again")
