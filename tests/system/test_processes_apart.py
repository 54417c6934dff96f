"""The same program on real parts: two of each process, a PostgreSQL, a Kafka; and one killed."""

import json
from pathlib import Path

import pytest

from tests.support.fleet import Fleet
from tests.support.quarterdeck import Client, Quarterdeck, eventually
from tests.support.servers import SshHost

pytestmark = [pytest.mark.slow, pytest.mark.kafka]
TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())
SLOW_SCRIPT = """\
apiVersion: quarterdeck.io/v1
kind: SSHInstallation
spec:
  phases:
    - name: first
      script: echo one >> first-ran
    - name: slow
      timeout: 2m
      script: |
        echo begun >> slow-ran
        while [ ! -e go-on ]; do sleep 0.1; done
        echo "done"
  destroy:
    script: rm -f first-ran slow-ran go-on
"""


def cluster(first: Quarterdeck, api: Client, host: SshHost, installation: str) -> str:
    """A cluster on the host, declared and asked to be installed; its id."""
    sections = [TEMPLATE["sections"][0], {"name": "Installation", "source": installation}]
    template = api.ok("POST", "cluster_templates", {**TEMPLATE, "sections": sections})
    values = {"host": host.address, "port": host.port, "user": host.user}
    body = {
        "name": "apart",
        "cluster_template_version_id": template["current_cluster_template_version_id"],
        "values": values,
    }
    made = api.ok("POST", "clusters", body)
    host.authorize(made["ssh_public_key"])
    api.ok("POST", f"clusters/{made['id']}/install")
    return str(made["id"])


def test_a_killed_manager_is_followed_by_another_and_no_script_runs_twice(
    fleet: Fleet, ssh_host: SshHost
) -> None:
    one, two = fleet.members["api-1"], fleet.members["api-2"]
    workspaces = one.client(one.token("--global"))
    workspaces.ok("POST", "workspaces", {"name": "Apart", "slug": "apart"})
    token = one.token("--workspace", "apart")
    api, other_api = one.client(token), two.client(token)

    cluster_id = cluster(one, api, ssh_host, SLOW_SCRIPT)

    slow_ran = ssh_host.home / "slow-ran"
    eventually(slow_ran.exists, 30, lambda: (api.ok("GET", f"clusters/{cluster_id}"), fleet.errors))

    def task() -> dict[str, object]:
        return dict(other_api.ok("GET", f"tasks?cluster_id={cluster_id}")[-1])

    eventually(lambda: task()["manager"] is not None, 20, task)
    killed = str(task()["manager"])
    fleet.members[killed].kill()
    eventually(lambda: task()["manager"] not in (None, killed), 30, task)
    (ssh_host.home / "go-on").touch()
    eventually(lambda: task()["status"] == "succeeded", 30, task)

    assert (ssh_host.home / "first-ran").read_text() == "one\n"
    assert (ssh_host.home / "slow-ran").read_text() == "begun\n"
    shown = other_api.ok("GET", f"clusters/{cluster_id}")
    assert (shown["status"], shown["was_created"]) == ("in_sync", True)
    checked = one.run("rebuild", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
