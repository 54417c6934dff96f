"""What the READMEs claim is so: their tables, their links, their make words."""

import re
import subprocess
from pathlib import Path

import pytest

from projections import PROJECTIONS
from tests.architecture.tables import TABLES

ROOT = Path(__file__).parents[2]
READMES = sorted(
    p.relative_to(ROOT)
    for p in ROOT.rglob("README.md")
    if not {"node_modules", ".venv", "data"} & set(p.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("path", TABLES, ids=str)
def test_the_table_of_a_ring_is_what_the_code_has(path: Path) -> None:
    text = (ROOT / path).read_text()
    shown = re.search(r"<!-- table -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    assert shown is not None
    assert shown[1] == TABLES[path](), "run: python -m tests.architecture.tables"


@pytest.mark.parametrize("path", READMES, ids=str)
def test_every_link_of_a_readme_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / path).read_text()):
        assert (ROOT / path.parent / target).exists(), target


def test_the_table_of_read_models_names_them_all() -> None:
    shown = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "projections/README.md").read_text(), re.M)
    assert shown == [projection.name for projection in PROJECTIONS]


def test_every_make_word_of_the_readme_exists() -> None:
    words = set(re.findall(r"^\| `make ([a-z-]+)` \|", (ROOT / "README.md").read_text(), re.M))
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert words <= made
    assert words


def test_the_tree_of_the_readme_is_the_tree() -> None:
    shown = set(re.findall(r"^([a-z]+)/ ", (ROOT / "README.md").read_text(), re.M))
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert shown == {name.split("/")[0] for name in tracked if "/" in name and name[0] != "."}


def test_every_guarantee_names_a_test_that_exists() -> None:
    promised = set(re.findall(r"`(test_\w+)`", (ROOT / "infra/guarantees.md").read_text()))
    written = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert promised
    assert promised <= written
