"""What the pages load is what they use, and a first view is light."""

import gzip
import json
import re
from pathlib import Path

WEB = Path("adapters/http/web")
VENDOR = WEB / "static" / "vendor"
MOST_SCRIPT_BYTES = 70 * 1024
BUILDERS = {"esbuild"}


def manifest() -> dict[str, str]:
    found: dict[str, str] = json.loads((VENDOR / "manifest.json").read_text())
    return found


def asked_for(text: str) -> set[str]:
    """The bundles that a template asks for by name."""
    listed = re.findall(r"for name in \(([^)]*)\)", text)
    return set(re.findall(r"script\('([\w-]+)'\)", text)) | {
        name for names in listed for name in re.findall(r"'([\w-]+)'", names)
    }


def test_every_package_is_used() -> None:
    package = json.loads(Path("package.json").read_text())
    sources = [path.read_text() for path in (WEB / "islands").glob("*.js")]
    sources.append(Path("infra/setup/assets.py").read_text())
    for name in package["dependencies"].keys() - BUILDERS:
        assert any(f'"{name}"' in text or f'"{name}/' in text for text in sources), name


def test_every_bundle_is_on_a_page() -> None:
    templates = "\n".join(path.read_text() for path in (WEB / "templates").rglob("*.html"))
    assert manifest().keys() == asked_for(templates) & manifest().keys()
    assert set(VENDOR.glob("*.js")) == {VENDOR / name for name in manifest().values()}


def test_what_every_page_loads_weighs_little() -> None:
    names = asked_for((WEB / "templates" / "layout.html").read_text())
    assert {"htmx", "hx-sse", "quarterdeck"} == names
    packed = {name: gzip.compress((VENDOR / manifest()[name]).read_bytes(), 9) for name in names}
    weights = {name: len(body) for name, body in packed.items()}
    assert sum(weights.values()) <= MOST_SCRIPT_BYTES, weights
