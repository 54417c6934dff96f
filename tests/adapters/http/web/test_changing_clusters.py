"""Clusters are declared, changed and worked on by forms, and a refusal stands where it belongs."""

from uuid import UUID

from application.clusters import ChangeCluster
from domain.clusters import Cluster
from projections.tasks import tasks_where
from tests.adapters.http.web.fleet import EXAMPLE, clusters_of, fill, home_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor


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
    home = await home_of(house, "pay-prod-fra-1")
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


async def test_settings_of_a_cluster_are_not_put_over_those_of_another_tab(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    home = await home_of(house, "pay-prod-fra-1")
    one, other = [await mira.get(f"{home}/configuration") for _ in range(2)]
    await mira.send(one, f"{home}/settings", check_interval=7)
    late = await mira.send(other, f"{home}/settings", check_interval=9)
    assert "the settings were changed while you wrote" in late.words
    assert "every 7 min now" in late.words
    assert "every 9 min." in late.words
    over = await mira.send(late, f"{home}/settings", check_interval=9)
    assert "Saved." in over.words


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
    home = await home_of(house, "lake-hel-2")
    page = await mira.get(f"{home}/infrastructure")
    action = next(form.action for form in page.forms if form.action.endswith("/cancel"))
    page = await mira.send(page, action)
    assert "asked to stop" in page.words


async def test_a_host_key_is_forgotten(house: House, mira: Visitor) -> None:
    await fill(house)
    home = await home_of(house, "pay-prod-fra-1")
    page = await mira.get(home)
    assert "SHA256:pYw5e0mB8dpFnXn1qgTgNQ9o3Xq8w2yQhT7v6m1c4Zk" in page.words
    page = await mira.send(page, f"{home}/forget-host-key")
    assert "the next contact pins the one it shows" in page.words
    assert "SHA256:pYw" not in page.words
