"""Clusters over the API, as Commander's clients use it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.postgres.routine_checks import PostgresRoutineChecks
from application.routine_checks import Look, Plan
from application.tasks import ClaimTask, SucceedTask
from domain.clusters import Cluster, Found
from domain.secrets import MASK
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLESALE = ("name", "cluster_template_version_id", "registry_id", "registry_mode", "values")


async def test_a_cluster_is_declared_read_changed_and_deleted(
    quarterdeck: Quarterdeck, house: House
) -> None:
    body = {
        "name": "c1",
        "cluster_template_version_id": str(house.version_id),
        "registry_id": "",
        "values": {"region": "north"},
    }
    async with quarterdeck.client(house.token) as client:
        made = await client.post("/api/v1/clusters", json=body)
        assert made.status_code == 201, made.text
        cluster = made.json()
        assert (cluster["status"], cluster["was_created"]) == ("new", False)
        assert isinstance(cluster["current_revision"], int)
        assert cluster["archive_number"] is None
        address = f"/api/v1/clusters/{cluster['id']}"
        wholesale = {name: cluster[name] for name in WHOLESALE}
        wholesale["values"] = {"region": "south", "nodes": 5}
        changed = await client.put(
            address, json={**wholesale, "current_revision": cluster["current_revision"]}
        )
        assert changed.status_code == 200, changed.text
        assert changed.json()["values"]["nodes"] == 5
        deleted = await client.delete(address)
        assert deleted.status_code == 200
        assert deleted.json()["status"] == "deleted"
        assert isinstance(deleted.json()["archive_number"], str)


async def test_everything_that_was_read_can_be_sent_back(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        await _rest(client, house)
        read = (await client.get(f"/api/v1/clusters/{house.cluster_id}")).json()
        again = await client.put(f"/api/v1/clusters/{house.cluster_id}", json=read)
    assert again.status_code == 200, again.text
    assert again.json() == read


async def test_the_registry_is_replaced_with_the_rest(
    quarterdeck: Quarterdeck, house: House
) -> None:
    registry = "69566a46-c004-4e53-b686-189587d484a9"
    async with quarterdeck.client(house.token) as client:
        address = f"/api/v1/clusters/{house.cluster_id}"
        read = (await client.get(address)).json()
        named = await client.put(address, json={**read, "registry_id": registry})
        taken_back = await client.put(address, json={**named.json(), "registry_id": ""})
    told = [
        (each["registry_id"], each["current_revision"])
        for each in (named.json(), taken_back.json())
    ]
    revision = read["current_revision"]
    assert told == [(registry, revision + 1), (None, revision + 2)]


async def test_a_stale_revision_is_a_conflict_in_their_word(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        address = f"/api/v1/clusters/{house.cluster_id}"
        read = (await client.get(address)).json()
        answer = await client.put(address, json={**read, "current_revision": 99})
    assert answer.status_code == 409
    assert answer.json()["error"] == "revision_conflict"
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_change_must_say_of_which_revision_it_is_made(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        address = f"/api/v1/clusters/{house.cluster_id}"
        read = await client.get(address)
        body = {k: v for k, v in read.json().items() if k != "current_revision"}
        without = await client.put(address, json=body)
        guarded = await client.put(address, json=body, headers={"If-Match": read.headers["ETag"]})
        stale = await client.put(address, json=body, headers={"If-Match": '"7-abc"'})
        foreign = await client.put(address, json=body, headers={"If-Match": '"abc"'})
        none = await client.put(address, json=body, headers={"If-Match": "abc"})
        torn = await client.put(address, json=read.json(), headers={"If-Match": '"7-abc"'})
    assert without.status_code == 422
    assert without.json()["errors"][0]["pointer"] == "/current_revision"
    assert guarded.status_code == 200
    assert [each.status_code for each in (stale, foreign, torn)] == [412] * 3
    assert "it is at revision 1, not 7" in stale.json()["detail"]
    assert none.status_code == 400


async def test_what_is_installed_is_deleted_by_a_task(
    quarterdeck: Quarterdeck, house: House
) -> None:
    await quarterdeck.execute(ClaimTask(task_id=house.task_id, manager="m1"))
    address = f"/api/v1/clusters/{house.cluster_id}"
    async with quarterdeck.client(house.token) as client:
        for _ in range(2):
            deleted = await client.delete(address)
            assert (deleted.status_code, deleted.json()["status"]) == (202, "delete")
            assert deleted.json()["task_id"] == str(house.task_id)
        busy = await client.post(f"{address}/install")
        assert (busy.status_code, busy.json()["error"]) == (409, "cluster_busy")
        await quarterdeck.execute(SucceedTask(task_id=house.task_id, manager="m1"))
        _, cluster = await quarterdeck.hub.cache.load(Cluster, house.cluster_id)
        assert isinstance(cluster, Cluster)
        assert cluster.task_id is not None
        for command in (ClaimTask, SucceedTask):
            done = await quarterdeck.execute(command(task_id=cluster.task_id, manager="m1"))
        after = {"after": str(done.position)}
        assert (await client.get(address, params=after)).json()["status"] == "deleted"
        assert (await client.delete(address)).status_code == 200


async def test_an_installation_that_nobody_has_begun_is_called_off(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        deleted = await client.delete(f"/api/v1/clusters/{house.cluster_id}")
        assert (deleted.status_code, deleted.json()["status"]) == (200, "deleted")
        task = await client.get(f"/api/v1/tasks/{house.task_id}")
        assert task.json()["status"] == "cancelled"


async def test_a_look_that_found_nothing_new_is_the_last_check(
    quarterdeck: Quarterdeck, house: House
) -> None:
    checks, at = PostgresRoutineChecks(quarterdeck.hub.pool), datetime.now(UTC)
    await checks.plan([Plan(house.cluster_id, timedelta(minutes=5), at)])
    await checks.keep(house.cluster_id, Look(at, Found.IN_SYNC))
    address = f"/api/v1/clusters/{house.cluster_id}"
    async with quarterdeck.client(house.token) as client:
        now = (await client.get(address)).json()
        then = (await client.get(address, params={"at": at.isoformat()})).json()
    assert datetime.fromisoformat(now["cluster_configuration_checked_at"]) == at
    assert then["cluster_configuration_checked_at"] is None


async def test_installing_answers_with_the_task(quarterdeck: Quarterdeck, house: House) -> None:
    body = {"name": "c1", "cluster_template_version_id": str(house.version_id)}
    async with quarterdeck.client(house.token) as client:
        made = (await client.post("/api/v1/clusters", json=body)).json()
        installed = await client.post(f"/api/v1/clusters/{made['id']}/install")
        assert installed.status_code == 202
        task = await client.get(installed.headers["Location"])
        assert (task.json()["kind"], task.json()["status"]) == ("install", "queued")
        cancelled = await client.post(f"{installed.headers['Location']}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        log = await client.get(f"{installed.headers['Location']}/log")
        assert log.json() == []


async def test_a_unique_value_that_another_has_is_a_conflict_at_its_field(
    quarterdeck: Quarterdeck, house: House
) -> None:
    template = {
        "name": "addressed",
        "params": [{"key": "host", "title": "Host", "type": "string", "unique": True}],
        "sections": [],
    }
    async with quarterdeck.client(house.token) as client:
        made = (await client.post("/api/v1/cluster_templates", json=template)).json()
        version_id = made["current_cluster_template_version_id"]
        body = {"cluster_template_version_id": version_id, "values": {"host": "10.0.0.1"}}
        assert (await client.post("/api/v1/clusters", json={"name": "c1", **body})).is_success
        taken = await client.post("/api/v1/clusters", json={"name": "c2", **body})
    assert (taken.status_code, taken.json()["error"]) == (409, "taken")
    assert taken.json()["errors"][0]["pointer"] == "/values/host"


async def test_a_password_is_masked_and_the_mask_keeps_it(
    quarterdeck: Quarterdeck, house: House
) -> None:
    body = {
        "name": "c1",
        "cluster_template_version_id": str(house.version_id),
        "values": {"password": "correct horse battery"},
    }
    async with quarterdeck.client(house.token) as client:
        made = await client.post("/api/v1/clusters", json=body)
        assert made.json()["values"]["password"] == MASK
        again = await client.put(f"/api/v1/clusters/{made.json()['id']}", json=made.json())
        assert again.json()["current_revision"] == made.json()["current_revision"]
        assert "correct horse" not in made.text + again.text


async def test_rendered_texts_are_there_and_hold_no_key(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        cluster = (await client.get(f"/api/v1/clusters/{house.cluster_id}")).json()
    assert cluster["desired_cluster_configuration_rendered"].startswith("region: south")
    assert cluster["applied_cluster_configuration_rendered"] is None
    assert "PRIVATE KEY" not in str(cluster)
    assert MASK in cluster["dhctl_configuration_rendered"]


async def test_lists_are_bare_arrays_with_or_without_the_archive(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        for name in ("b", "a"):
            body = {"name": name, "cluster_template_version_id": str(house.version_id)}
            made = await client.post("/api/v1/clusters", json=body)
        archived = await client.delete(f"/api/v1/clusters/{made.json()['id']}")
        after = archived.headers["X-Position"]
        everything = await client.get("/api/v1/clusters", params={"after": after})
        living = await client.get("/api/v1/clusters?without_archived=true")
    assert [c["name"] for c in everything.json()] == ["a", "b", "first"]
    assert [c["name"] for c in living.json()] == ["b", "first"]


async def test_pages_are_linked_when_a_limit_is_given(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        for name in ("a", "b", "c", "d"):
            body = {"name": name, "cluster_template_version_id": str(house.version_id)}
            made = await client.post("/api/v1/clusters", json=body)
        address: str | None = f"/api/v1/clusters?limit=2&after={made.headers['X-Position']}"
        seen: list[str] = []
        while address is not None:
            page = await client.get(address)
            seen += [cluster["name"] for cluster in page.json()]
            address = page.links["next"]["url"] if "next" in page.links else None
    assert seen == ["a", "b", "c", "d", "first"]


async def test_an_etag_spares_the_body_until_something_changes(
    quarterdeck: Quarterdeck, house: House
) -> None:
    address = f"/api/v1/clusters/{house.cluster_id}"
    async with quarterdeck.client(house.token) as client:
        read = await client.get(address)
        known = {"If-None-Match": read.headers["ETag"]}
        same = await client.get(address, headers=known)
        assert (same.status_code, same.content) == (304, b"")
        await client.put(f"{address}/settings", json={"change_mode": "manual", "check_interval": 7})
        other = await client.get(address, headers=known)
    assert other.status_code == 200
    assert other.json()["settings"]["check_interval"] == 7


async def test_settings_are_said_as_a_whole(quarterdeck: Quarterdeck, house: House) -> None:
    address = f"/api/v1/clusters/{house.cluster_id}/settings"
    async with quarterdeck.client(house.token) as client:
        half = await client.put(address, json={"check_interval": 7})
        wrong = await client.put(address, json={"change_mode": "auto", "check_interval": 0})
        done = await client.put(address, json={"change_mode": "manual", "check_interval": 7})
        read = await client.get(address, params={"after": done.headers["X-Position"]})
    assert half.json()["errors"][0]["pointer"] == "/change_mode"
    assert wrong.json()["errors"][0]["pointer"] == "/check_interval"
    assert read.json() == done.json()


async def test_the_history_of_a_cluster_tells_its_tasks_and_settings_too(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        head = await quarterdeck.hub.store.head()
        rows = await client.get(
            f"/api/v1/clusters/{house.cluster_id}/history", params={"after": head}
        )
    assert {row["kind"] for row in rows.json()} == {"Cluster", "ClusterSettings", "Task"}
    assert "PRIVATE KEY" not in rows.text


async def test_the_cluster_of_another_workspace_is_not_found(
    quarterdeck: Quarterdeck, house: House
) -> None:
    other = await quarterdeck.token(await quarterdeck.workspace())
    address = f"/api/v1/clusters/{house.cluster_id}"
    async with quarterdeck.client(other) as client:
        answers = [
            await client.get(address),
            await client.delete(address),
            await client.post(f"{address}/install"),
            await client.get(f"{address}/history"),
            await client.get(f"{address}/settings"),
            await client.get(f"/api/v1/tasks/{house.task_id}"),
            await client.get(f"/api/v1/tasks/{house.task_id}/log"),
            await client.get(f"/api/v1/cluster_templates/{house.template_id}"),
        ]
    assert {answer.status_code for answer in answers} == {404}


async def test_another_workspace_that_is_named_is_refused(
    quarterdeck: Quarterdeck, house: House
) -> None:
    other = await quarterdeck.token(await quarterdeck.workspace())
    async with quarterdeck.client(other) as client:
        for slug in (house.slug, "there-is-none"):
            answer = await client.get("/api/v1/clusters", params={"workspace": slug})
            assert answer.status_code == 403


async def test_a_cluster_whose_template_does_not_render_says_why(
    quarterdeck: Quarterdeck, house: House
) -> None:
    sections = [{"name": "Broken", "source": "{{ .nothing }}"}]
    async with quarterdeck.client(house.token) as client:
        template = await client.post(
            "/api/v1/cluster_templates", json={"name": "broken", "sections": sections}
        )
        version = template.json()["current_cluster_template_version_id"]
        made = await client.post(
            "/api/v1/clusters", json={"name": "c1", "cluster_template_version_id": version}
        )
    assert made.status_code == 201
    assert made.json()["status"] == "configuration_error"
    assert made.json()["render_errors"][0]["section"] == "Broken"


@pytest.mark.parametrize("name", ["Big", "a_b", "-a", "", "a" * 64])
async def test_a_name_that_kubernetes_would_refuse_is_refused(
    quarterdeck: Quarterdeck, house: House, name: str
) -> None:
    body = {"name": name, "cluster_template_version_id": str(house.version_id)}
    async with quarterdeck.client(house.token) as client:
        answer = await client.post("/api/v1/clusters", json=body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/name"]


async def test_wrong_values_are_all_told_at_once(quarterdeck: Quarterdeck, house: House) -> None:
    body = {
        "name": "c1",
        "cluster_template_version_id": str(house.version_id),
        "values": {"region": 7, "nodes": 99, "colour": "red"},
    }
    async with quarterdeck.client(house.token) as client:
        answer = await client.post("/api/v1/clusters", json=body)
    assert answer.status_code == 422
    told = {fault["pointer"] for fault in answer.json()["errors"]}
    assert told == {"/values/region", "/values/nodes", "/values/colour"}


async def _rest(client: Any, house: House) -> None:
    """Cancel the task that waits, so that the cluster is at rest."""
    await client.post(f"/api/v1/tasks/{house.task_id}/cancel")
