"""A subject's secrets are erased for ever, while everything runs, and the log tells who and why."""

import json
from pathlib import Path

import pytest

from tests.support.quarterdeck import eventually, quarterdeck
from tests.system.declared import declare

pytestmark = pytest.mark.slow


def test_what_was_sealed_for_a_cluster_is_gone_and_nothing_fails(folder: Path) -> None:
    with quarterdeck(folder) as program:
        leaving = declare(program, "leaving")
        api, cluster = leaving.api, leaving.cluster
        address = f"clusters/{cluster['id']}"

        def shown() -> str:
            return json.dumps(api.ok("GET", address))

        assert "# erased" not in shown()
        told = program.run("keys", "erase", "leaving", "--reason", "They left.", "--by", "Mira")
        assert told.returncode == 0, told.stderr
        assert cluster["id"] in told.stdout
        eventually(lambda: "# erased" in shown(), 20, shown)

        refused = api("POST", f"{address}/install")
        assert refused.status_code < 500, refused.text
        replayed = program.run("replay", "leaving", "--json")
        assert replayed.returncode == 0, replayed.stderr
        assert '"erased"' in replayed.stdout
        verified = program.run("verify")
        assert verified.returncode == 0, verified.stderr
        assert "snapshots are what the log says" in verified.stdout
        assert program.run("rebuild", "--check").returncode == 0
        eventually(lambda: '"They left."' in program.output, 20)
        line = next(text for text in program.output.splitlines() if '"They left."' in text)
        audited = json.loads(line)
        assert (audited["auditable_type"], audited["action"]) == ("DataKey", "delete")
        assert audited["workspace_slug"] == "leaving"
        assert audited["audited_changes"]["ordered_by"] == "Mira"

        again = program.run("keys", "erase", "leaving", "--reason", "Again.", "--by", "Mira")
        assert again.returncode == 1
        assert "it has no key" in again.stderr
        unknown = program.run("keys", "erase", "nobody", "--reason", "No.", "--by", "Mira")
        assert unknown.returncode == 1
