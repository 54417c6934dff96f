"""Master keys are added and rotated while everything runs."""

from pathlib import Path

import pytest

from tests.support.quarterdeck import Quarterdeck, quarterdeck
from tests.system.declared import declare

pytestmark = pytest.mark.slow


def said(program: Quarterdeck, *words: str) -> str:
    ended = program.run("keys", *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_program_that_began_before_a_master_key_reads_what_it_wraps(folder: Path) -> None:
    with quarterdeck(folder) as program:
        kept = declare(program, "kept")
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
        api = program.client(kept.token)
        assert api.ok("GET", f"clusters/{kept.cluster['id']}") == kept.cluster
        api.ok("POST", "clusters", {**kept.body, "name": "newer"})
