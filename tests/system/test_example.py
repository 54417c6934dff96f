"""A newcomer loads the example, presses Install, and watches a cluster become ready."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.quarterdeck import Client, Quarterdeck, eventually, quarterdeck

pytestmark = pytest.mark.slow


@pytest.fixture
def program(server_folder: Path) -> Iterator[Quarterdeck]:
    folder = server_folder / "example"
    with quarterdeck(folder) as program:
        yield program
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def api(program: Quarterdeck) -> Client:
    loaded = program.run("example", "--port", str(program.port))
    assert loaded.returncode == 0, loaded.stderr
    assert f"{program.url}/workspaces/example/clusters" in loaded.stdout
    return program.client(program.token("--workspace", "example"))


def cluster(api: Client) -> dict[str, Any]:
    (shown,) = api.ok("GET", "clusters")
    return dict(shown)


def test_the_example_is_installed_on_the_programs_own_host_with_a_live_log(api: Client) -> None:
    assert cluster(api)["status"] == "new"
    task = api.ok("POST", f"clusters/{cluster(api)['id']}/install")["id"]

    def log() -> list[str]:
        return [line["text"] for line in api.ok("GET", f"tasks/{task}/log")]

    eventually(lambda: "worker-1: starting" in log(), 60, log)
    shown = api.ok("GET", f"tasks/{task}")
    assert (shown["status"], shown["phase"]) == ("running", "start-workers")
    assert cluster(api)["status"] == "creating"
    eventually(lambda: cluster(api)["status"] == "in_sync", 60, log)
    assert log()[-1] == "greeting: Hello from the quarterdeck"
