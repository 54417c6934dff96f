"""The testbed is a cache folder of servers made once from the recipes in infra/testbed."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.servers.missing import MissingServer

RECIPES = Path(__file__).parents[3] / "infra" / "testbed"
TOOLS = {
    "kafka": ("java", "mvn"),
    "loki": ("go",),
    "postgresql": ("java", "mvn", "xz"),
    "templates": ("go",),
}


def made(recipe: str) -> Path:
    """The folder that the recipe filled; raises MissingServer when it was never followed."""
    folder = _folder(recipe)
    if not folder.exists():
        raise MissingServer(f"No {recipe} here: run `make testbed-{recipe}`{_lacking(recipe)}.")
    return folder


def make(recipe: str) -> Path:
    """Follow the recipe unless its very text was followed before."""
    folder = _folder(recipe)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make_at_once(recipe, folder)
    return folder


def _make_at_once(recipe: str, folder: Path) -> None:
    if lacking := _lacking(recipe):
        raise MissingServer(f"No {recipe} can be made here{lacking}.")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made_here = Path(scratch) / recipe
        made_here.mkdir()
        subprocess.run([RECIPES / recipe / "build.sh", made_here], check=True)
        made_here.rename(folder)


def _lacking(recipe: str) -> str:
    tools = [tool for tool in TOOLS[recipe] if shutil.which(tool) is None]
    return f" (it needs {' and '.join(tools)}, to be installed first)" if tools else ""


def _folder(recipe: str) -> Path:
    return _cache() / f"{recipe}-{_digest(RECIPES / recipe)}"


def _cache() -> Path:
    if chosen := os.environ.get("QUARTERDECK_TESTBED"):
        return Path(chosen).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "quarterdeck" / "testbed"


def _digest(recipe: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in recipe.rglob("*") if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
