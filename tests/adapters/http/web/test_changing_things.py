"""What is changed by forms, without a script: the same commands, refused at their fields."""

from uuid import UUID

import pytest

from adapters.postgres.marks import PostgresMarks
from application.cluster_templates import CreateClusterTemplate, SectionText
from application.clusters import ChangeCluster
from application.data_keys import EraseDataKey
from application.ports import Erased
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from projections.cluster_list import ClusterFilter, clusters_where
from projections.tasks import tasks_where
from tests.adapters.http.web.fleet import change, create, fill, install, template_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor

EXAMPLE = "/workspaces/example"


async def clusters_of(house: House) -> dict[str, str]:
    found = await clusters_where(await house.reads.reader(), ClusterFilter())
    return {row["name"]: row["id"] for row in found.rows}


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
        page, f"{EXAMPLE}/settings", name="Examples", change_mode="manual", check_interval=7
    )
    assert "Saved." in page.words
    assert dict(page.form(f"{EXAMPLE}/settings").fields) == {
        "name": "Examples",
        "slug": "example",
        "change_mode": "manual",
        "check_interval": "7",
    }
    wrong = await mira.send(page, f"{EXAMPLE}/settings", check_interval="soon")
    assert wrong.status == 422
    assert "f-check_interval-bad" in wrong.ids


async def test_a_cluster_is_declared_then_installed(house: House, mira: Visitor) -> None:
    await house.example()
    form = await mira.get(f"{EXAMPLE}/clusters/new")
    page = await mira.send(
        form, f"{EXAMPLE}/clusters", press="save", name="store-1", values__sshPort=2222
    )
    assert "store-1 is saved." in page.words
    assert "Saved, not installed yet." in page.words
    home = page.response.url.path
    page = await mira.send(page, f"{home}/install")
    assert page.response.url.path == f"{home}/infrastructure"
    assert "Install waits for a manager to take it." in page.words
    tasks = await tasks_where(await house.reads.reader())
    assert [(task["kind"], task["created_by"]) for task in tasks.rows] == [
        ("install", "Mira Okafor")
    ]


async def test_save_and_install_is_one_press(house: House, mira: Visitor) -> None:
    await house.example()
    form = await mira.get(f"{EXAMPLE}/clusters/new")
    page = await mira.send(
        form, f"{EXAMPLE}/clusters", press="install", name="store-1", values__sshPort=2222
    )
    assert page.response.url.path.endswith("/infrastructure")
    assert "Installing." in page.words


async def test_the_faults_of_values_stand_at_their_fields(house: House, mira: Visitor) -> None:
    await house.example()
    form = await mira.get(f"{EXAMPLE}/clusters/new")
    page = await mira.send(
        form,
        f"{EXAMPLE}/clusters",
        press="install",
        name="first-cluster",
        values__sshPort=99999,
        values__greeting="#!",
        values__workers="many",
    )
    assert page.status == 422
    assert "3 fields need you." in page.words
    assert "Must be at most 65535." in page.words
    assert "Must be a number." in page.words
    assert dict(page.form(f"{EXAMPLE}/clusters").fields)["values.workers"] == "many"
    taken = await mira.send(
        form, f"{EXAMPLE}/clusters", press="save", name="first-cluster", values__sshPort=2222
    )
    assert taken.status == 422
    assert "first-cluster is taken" in taken.words
    assert "f-name-bad" in taken.ids


async def test_the_preview_renders_what_is_typed(house: House, mira: Visitor) -> None:
    await house.example()
    form = dict((await mira.get(f"{EXAMPLE}/clusters/new")).form(f"{EXAMPLE}/clusters").fields)
    answer = await mira.post(
        f"{EXAMPLE}/clusters/preview", form | {"values.sshPort": "2022", "values.workers": "77"}
    )
    page = Page(answer)
    assert "sshPort: 2022" in page.words
    assert "Must be at most 5." in page.words
    assert (await clusters_of(house)).keys() == {"first-cluster"}


async def test_a_field_that_is_not_filled_in_yet_is_not_scolded(
    house: House, mira: Visitor
) -> None:
    await house.example()
    page = await mira.get(f"{EXAMPLE}/clusters/new")
    assert "Waits for Port" in page.words
    assert "Is required." not in page.words


async def test_a_change_says_what_was(house: House, mira: Visitor) -> None:
    await fill(house)
    home = f"{EXAMPLE}/clusters/{(await clusters_of(house))['pay-prod-fra-1']}"
    form = await mira.get(f"{home}/configuration")
    page = await mira.send(form, f"{home}/configuration", values__greeting="Hello again")
    assert "Saved." in page.words
    assert "was Hello from pay-prod-fra-1" in page.words
    diff = await mira.get(f"{home}/configuration?show=diff")
    assert "6 lines of difference to the machines" in diff.words


async def test_nobody_overwrites_what_another_changed_meanwhile(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    cluster_id = (await clusters_of(house))["train-kiruna-1"]
    home = f"{EXAMPLE}/clusters/{cluster_id}"
    form = await mira.get(f"{home}/configuration")
    _, cluster = await house.hub.cache.load(Cluster, UUID(cluster_id))
    assert isinstance(cluster, Cluster)
    await house.do(
        ChangeCluster(
            workspace_id=workspace_id,
            cluster_id=UUID(cluster_id),
            name=cluster.name,
            cluster_template_version_id=cluster.configuration.template_version_id,
            values={**cluster.configuration.values, "workers": 4},
        ),
        who="Henrik Dahl",
    )
    await house.shown()
    page = await mira.send(form, f"{home}/configuration", values__greeting="Mine")
    assert page.status == 409
    assert "Henrik Dahl changed it while you wrote." in page.words
    assert "workers 2 → 4" in page.words
    assert dict(page.form(f"{home}/configuration").fields)["values.greeting"] == "Mine"
    over = await mira.send(page, f"{home}/configuration")
    assert "Saved." in over.words


async def test_a_cluster_is_deleted_by_its_written_name(house: House, mira: Visitor) -> None:
    await fill(house)
    home = f"{EXAMPLE}/clusters/{(await clusters_of(house))['train-kiruna-1']}"
    form = await mira.get(f"{home}/delete")
    wrong = await mira.send(form, f"{home}/delete", confirm="train")
    assert wrong.status == 422
    assert "That is not its name." in wrong.words
    page = await mira.send(form, f"{home}/delete", confirm="train-kiruna-1")
    assert "train-kiruna-1 is in the archive." in page.words
    assert "train-kiruna-1" in (await mira.get(f"{EXAMPLE}/archive")).words


async def test_a_deletion_waits_for_the_task_that_runs(house: House, mira: Visitor) -> None:
    await fill(house)
    home = f"{EXAMPLE}/clusters/{(await clusters_of(house))['lake-hel-2']}"
    form = await mira.get(f"{home}/delete")
    assert "The deletion begins when it is over." in form.words
    page = await mira.send(form, f"{home}/delete", confirm="lake-hel-2")
    assert "lake-hel-2 is deleted once what runs is over." in page.words
    page = await mira.get(home)
    assert "Deletion waits." in page.words
    assert "It begins when what runs is over: install." in page.words
    history = await mira.get(f"{home}/history")
    assert "asked to delete it once the task is over" in history.words


async def test_many_clusters_are_deleted_by_their_written_number(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    names = await clusters_of(house)
    ids = [names["train-kiruna-1"], names["first-cluster"]]
    answer = await mira.post(f"{EXAMPLE}/clusters/selected", {"id": ids, "do": "delete"})
    page = Page(answer)
    assert "Delete 2 clusters" in page.words
    wrong = await mira.send(page, f"{EXAMPLE}/clusters/delete", confirm="3")
    assert "That is not their number." in wrong.words
    done = await mira.send(page, f"{EXAMPLE}/clusters/delete", confirm="2")
    assert "2 clusters will be deleted." in done.words


async def test_checking_some_tells_which_could_not_be(house: House, mira: Visitor) -> None:
    await fill(house)
    names = await clusters_of(house)
    ids = [names["pay-prod-fra-1"], names["first-cluster"]]
    answer = await mira.client.post(
        f"{EXAMPLE}/clusters/selected", data={"id": ids, "do": "check"}, follow_redirects=True
    )
    words = Page(answer).words
    assert "1 cluster will be checked. 1 cluster not:" in words
    assert "not installed yet" in words


async def test_a_task_is_asked_to_stop(house: House, mira: Visitor) -> None:
    await fill(house)
    home = f"{EXAMPLE}/clusters/{(await clusters_of(house))['lake-hel-2']}"
    page = await mira.get(f"{home}/infrastructure")
    action = next(form.action for form in page.forms if form.action.endswith("/cancel"))
    page = await mira.send(page, action)
    assert "asked to stop" in page.words


async def test_a_template_is_written_tried_and_published(house: House, mira: Visitor) -> None:
    await house.example()
    form = await mira.get(f"{EXAMPLE}/templates/new")
    base = f"{EXAMPLE}/templates"
    broken = dict(form.form(base).fields) | {
        "name": "edge",
        "params": "- key: host\n  title: Host\n  type: text\n",
        "section.0.source": "a: 1\nb: {{ .host }\n",
    }
    tried = Page(await mira.post(f"{base}/try", broken))
    assert 'data-line="1"' in tried.html
    assert "In host, type: must be one of" in tried.words
    assert Page(await mira.post(base, broken)).status == 422
    broken["params"] = broken["params"].replace("text", "string")
    tried = Page(await mira.post(f"{base}/try", broken))
    assert "line 2" in tried.words
    good = broken | {"section.0.source": "a: 1\nb: {{ .host | quote }}\n"}
    tried = Page(await mira.post(f"{base}/try", good))
    assert "Renders and is valid" in tried.words
    assert "assuming Host is host" in tried.words
    made = Page(await mira.client.post(base, data=good, follow_redirects=True))
    assert "edge is published." in made.words
    again = await mira.send(
        made, made.response.url.path, **{"section.0.source": "a: 2\n"}, version_comment="Two"
    )
    assert "Version 2 is published." in again.words
    compared = await mira.get(f"{made.response.url.path}/compare")
    assert "a: 1" in compared.words
    assert "version 1 against version 2" in compared.words


async def test_a_version_is_withdrawn_and_offered_again(house: House, mira: Visitor) -> None:
    await fill(house)
    template_id, version_id = await template_of(house)
    base = f"{EXAMPLE}/templates/{template_id}"
    page = await mira.get(f"{base}?version={version_id}")
    page = await mira.send(page, f"{base}/withdraw", press="1")
    assert "Version 1 is withdrawn." in page.words
    new = await mira.get(f"{EXAMPLE}/clusters/new")
    assert str(version_id) not in new.html
    page = await mira.send(page, f"{base}/withdraw", press="0")
    assert "Version 1 is offered again." in page.words


async def test_two_authors_do_not_publish_over_each_other(house: House, mira: Visitor) -> None:
    await fill(house)
    template_id, _ = await template_of(house)
    base = f"{EXAMPLE}/templates/{template_id}"
    page = await mira.get(base)
    await mira.send(page, base, **{"section.0.source": "theirs: 1\n"})
    late = await mira.send(page, base, **{"section.0.source": "mine: 1\n", "key": "another"})
    assert late.status == 409
    assert "published while you wrote" in late.words
    assert dict(late.form(base).fields)["section.0.source"] == "mine: 1\n"
    _, template = await house.hub.cache.load(ClusterTemplate, template_id)
    assert isinstance(template, ClusterTemplate)
    assert len(template.versions) == 3


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


async def test_a_host_key_is_forgotten(house: House, mira: Visitor) -> None:
    await fill(house)
    home = f"{EXAMPLE}/clusters/{(await clusters_of(house))['pay-prod-fra-1']}"
    page = await mira.get(home)
    assert "SHA256:pYw5e0mB8dpFnXn1qgTgNQ9o3Xq8w2yQhT7v6m1c4Zk" in page.words
    page = await mira.send(page, f"{home}/forget-host-key")
    assert "the next contact pins the one it shows" in page.words
    assert "SHA256:pYw" not in page.words


async def test_a_form_may_not_be_endless(mira: Visitor) -> None:
    answer = await mira.client.post(
        "/workspaces",
        content=b"name=" + b"a" * (1 << 21),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413


async def test_clusters_by_the_thousand_are_read_page_by_page(house: House, mira: Visitor) -> None:
    workspace_id = await house.example()
    template_id, version_id = await template_of(house)
    for n in range(60):
        await create(house, workspace_id, template_id, version_id, f"store-{n:03}", "Henrik Dahl")
    await house.shown()
    first = await mira.get(f"{EXAMPLE}/clusters?sort=name")
    assert "1–50 of 61" in first.words
    following = next(link for link in first.links if "cursor=" in link)
    second = await mira.get(following)
    assert "51–61 of 61" in second.words
    assert "store-059" in second.words
    filtered = await mira.get(f"{EXAMPLE}/clusters?q=store-05")
    assert "10 of 61" in filtered.words
    as_status = await mira.get(f"{EXAMPLE}/clusters?q=In+sync")
    assert str(as_status.response.url).endswith("status=in_sync")
    csv = await mira.get(f"{EXAMPLE}/clusters.csv?q=store-05")
    assert len(csv.html.splitlines()) == 11


async def test_what_could_not_be_sent_is_asked_for_again(house: House, mira: Visitor) -> None:
    marks = PostgresMarks(house.hub.pool, "loki")
    await marks.park(1, "400: max entry size exceeded")
    page = await mira.get("/system")
    assert "400: max entry size exceeded" in page.words
    assert await marks.asked(10) == []

    page = await mira.send(page, "/system/retry")

    assert "One parked event is tried again" in page.words
    assert await marks.asked(10) == [1]


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
