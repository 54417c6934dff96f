"""The rings hold: who may import whom is a list of contracts whose names are sentences."""

import subprocess
import sys


def test_the_contracts_hold() -> None:
    # A program of its own: in ours it would switch off every logger that is there already.
    program = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    told = subprocess.run(program, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
