"""Master keys are added and rotated while everything runs."""

import json
from pathlib import Path

import pytest

from tests.support.quarterdeck import Quarterdeck, quarterdeck

pytestmark = pytest.mark.slow
TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())


def said(program: Quarterdeck, *words: str) -> str:
    ended = program.run("keys", *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_program_that_began_before_a_master_key_reads_what_it_wraps(folder: Path) -> None:
    with quarterdeck(folder) as program:
        workspaces = program.client(program.token("--global"))
        workspaces.ok("POST", "workspaces", {"name": "Kept", "slug": "kept"})
        token = program.token("--workspace", "kept")
        api = program.client(token)
        version = api.ok("POST", "cluster_templates", TEMPLATE)
        body = {
            "name": "kept",
            "cluster_template_version_id": version["current_cluster_template_version_id"],
            "values": {"host": "192.0.2.1"},
        }
        before = api.ok("POST", "clusters", body)
        # What was opened once is held; another start holds nothing.
        program.stop()
        program.start()
        assert f"{folder}/data/keys" in said(program, "add")
        wrapped = [int(line.split()[-3]) for line in said(program, "show").splitlines()]
        assert wrapped[0] > 0 == wrapped[1]
        said(program, "rotate")
        assert [int(line.split()[-3]) for line in said(program, "show").splitlines()] == [
            0,
            wrapped[0],
        ]
        api = program.client(token)
        assert api.ok("GET", f"clusters/{before['id']}") == before
        api.ok("POST", "clusters", {**body, "name": "newer"})
