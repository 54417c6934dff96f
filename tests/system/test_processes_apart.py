"""The same program on real parts: two of each process, a PostgreSQL, a Kafka; and one killed."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fleet import Fleet
from tests.support.quarterdeck import Client, eventually
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


def cluster(api: Client, host: SshHost, installation: str) -> str:
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


@dataclass(frozen=True)
class SlowTask:
    """A script runs on the host until it may go on; seen through one API, begun through another."""

    api: Client
    system: Client
    cluster_id: str
    host: SshHost

    @property
    def shown(self) -> dict[str, object]:
        return dict(self.api.ok("GET", f"tasks?cluster_id={self.cluster_id}")[-1])

    def followed_instead_of(self, manager: str) -> None:
        eventually(lambda: self.shown["manager"] not in (None, manager), 30, lambda: self.shown)

    def ended_well(self) -> None:
        (self.host.home / "go-on").touch()
        eventually(lambda: self.shown["status"] == "succeeded", 30, lambda: self.shown)

    def must_have_run_once(self) -> None:
        assert (self.host.home / "first-ran").read_text() == "one\n"
        assert (self.host.home / "slow-ran").read_text() == "begun\n"

    def of_process(self, name: str) -> dict[str, str]:
        processes = self.system.ok("GET", "system")["processes"]
        return next(each for each in processes if each["name"] == name)


@pytest.fixture
def slow(fleet: Fleet, ssh_host: SshHost) -> SlowTask:
    one, two = fleet.members["api-1"], fleet.members["api-2"]
    system = one.client(one.token("--global"))
    system.ok("POST", "workspaces", {"name": "Apart", "slug": "apart"})
    token = one.token("--workspace", "apart")
    api = one.client(token)
    cluster_id = cluster(api, ssh_host, SLOW_SCRIPT)
    slow_ran = ssh_host.home / "slow-ran"
    eventually(slow_ran.exists, 30, lambda: (api.ok("GET", f"clusters/{cluster_id}"), fleet.errors))
    return SlowTask(two.client(token), system, cluster_id, ssh_host)


def manager_of(task: SlowTask) -> str:
    eventually(lambda: task.shown["manager"] is not None, 20, lambda: task.shown)
    return str(task.shown["manager"])


def test_a_killed_manager_is_followed_by_another_and_no_script_runs_twice(
    fleet: Fleet, slow: SlowTask
) -> None:
    killed = manager_of(slow)
    fleet.members[killed].kill()
    slow.followed_instead_of(killed)
    slow.ended_well()
    slow.must_have_run_once()
    shown = slow.api.ok("GET", f"clusters/{slow.cluster_id}")
    assert (shown["status"], shown["was_created"]) == ("in_sync", True)
    checked = fleet.members["api-1"].run("rebuild", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_manager_that_was_taken_for_gone_runs_nothing_when_it_comes_back(
    fleet: Fleet, slow: SlowTask
) -> None:
    """Its machine slept; meanwhile another one has ended the task and cleaned up on the host."""
    asleep = manager_of(slow)
    fleet.members[asleep].freeze()
    slow.host.cut_connections()
    slow.followed_instead_of(asleep)
    slow.ended_well()
    eventually(lambda: not list(slow.host.home.glob(".quarterdeck/*/*")), 20)
    before = slow.of_process(asleep)["seen_at"]
    fleet.members[asleep].thaw()
    eventually(
        lambda: (
            slow.of_process(asleep)["seen_at"] > before
            and slow.of_process(asleep)["detail"] == "0 of 10 tasks"
        ),
        30,
        lambda: (slow.of_process(asleep), fleet.errors[asleep]),
    )
    slow.must_have_run_once()
    assert (slow.shown["status"], slow.shown["manager"]) != ("succeeded", asleep)
