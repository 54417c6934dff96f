"""The rings hold: who may import whom is a list of contracts whose names are sentences."""

from importlinter.cli import lint_imports


def test_the_contracts_hold() -> None:
    assert lint_imports() == 0
