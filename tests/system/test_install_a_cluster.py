"""The story of a cluster through the API: declared, installed over real SSH, changed, deleted."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.bootstrap import database_folder
from adapters.embedded.postgres import running_dsn
from tests.support.quarterdeck import Client, Quarterdeck, eventually, quarterdeck
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow
TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())


@pytest.fixture(scope="module")
def program(server_folder: Path) -> Iterator[Quarterdeck]:
    with quarterdeck(server_folder / "install-a-cluster") as running:
        yield running
    shutil.rmtree(running.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def api(program: Quarterdeck) -> Client:
    workspaces = program.client(program.token("--global"))
    workspaces.ok("POST", "workspaces", {"name": "Production", "slug": "production"})
    return program.client(program.token("--workspace", "production"))


@pytest.fixture(scope="module")
def version(api: Client) -> str:
    template = api.ok("POST", "cluster_templates", TEMPLATE)
    return str(template["current_cluster_template_version_id"])


def declare(api: Client, version: str, host: SshHost, name: str) -> str:
    values = {"host": host.address, "port": host.port, "user": host.user}
    body = {"name": name, "cluster_template_version_id": version, "values": values}
    cluster = api.ok("POST", "clusters", body)
    assert (cluster["status"], cluster["was_created"]) == ("new", False)
    host.authorize(cluster["ssh_public_key"])
    return str(cluster["id"])


def reaches(api: Client, cluster_id: str, status: str) -> None:
    def shown() -> str:
        return str(api.ok("GET", f"clusters/{cluster_id}")["status"])

    eventually(lambda: shown() == status, 60, lambda: (shown(), last_task(api, cluster_id)))


def rests(api: Client, cluster_id: str) -> None:
    """Until no task is at work: a status alone does not tell, since a check leaves it as it is."""
    eventually(lambda: api.ok("GET", f"clusters/{cluster_id}")["task_id"] is None, 60)


def last_task(api: Client, cluster_id: str) -> object:
    return api.ok("GET", f"tasks?cluster_id={cluster_id}")[-1:]


def test_a_cluster_is_installed_changed_checked_and_deleted(
    api: Client, version: str, ssh_host: SshHost
) -> None:
    cluster_id = declare(api, version, ssh_host, "story")
    greeting = ssh_host.home / "quarterdeck-greeting"

    api.ok("POST", f"clusters/{cluster_id}/install")
    reaches(api, cluster_id, "in_sync")
    assert greeting.read_text() == "hello\n"

    cluster = api.ok("GET", f"clusters/{cluster_id}")
    cluster["values"]["greeting"] = "good morning"
    api.ok("PUT", f"clusters/{cluster_id}", cluster)
    eventually(lambda: greeting.read_text() == "good morning\n", 60)
    rests(api, cluster_id)
    reaches(api, cluster_id, "in_sync")

    api.ok("POST", f"clusters/{cluster_id}/check")
    rests(api, cluster_id)
    reaches(api, cluster_id, "in_sync")

    api.ok("DELETE", f"clusters/{cluster_id}")
    reaches(api, cluster_id, "deleted")
    assert not greeting.exists()


def test_a_stale_revision_is_refused_as_existing_clients_expect(
    api: Client, version: str, ssh_host: SshHost
) -> None:
    cluster_id = declare(api, version, ssh_host, "stale")
    cluster = api.ok("GET", f"clusters/{cluster_id}")
    renamed = {**cluster, "name": "stale-2"}
    api.ok("PUT", f"clusters/{cluster_id}", renamed)
    refused = api("PUT", f"clusters/{cluster_id}", {**renamed, "name": "stale-3"})
    assert refused.status_code == 409
    assert refused.json()["error"] == "revision_conflict"


def test_a_failing_host_is_told_in_a_sentence(api: Client, version: str, ssh_host: SshHost) -> None:
    cluster_id = declare(api, version, ssh_host, "unauthorised")
    ssh_host.authorize_nobody()
    task_id = api.ok("POST", f"clusters/{cluster_id}/install")["id"]
    reaches(api, cluster_id, "creation_failed")
    assert "does not let user" in api.ok("GET", f"tasks/{task_id}")["reason"]


def test_what_stands_beside_the_log_is_what_it_says(program: Quarterdeck, api: Client) -> None:
    verified = program.run("verify")
    assert verified.returncode == 0, verified.stderr
    assert "are what the log says" in verified.stdout
    dsn = running_dsn(database_folder(program.folder / "data"))
    assert dsn is not None
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("delete from log.claims where key = 'workspace:production'")
        owner.execute("insert into log.claims values ('workspace:mine', gen_random_uuid(), 1)")
    verified = program.run("verify")
    assert verified.returncode == 1
    assert "claim workspace:mine" in verified.stderr
    assert "claim workspace:production: nobody has it" in verified.stderr
