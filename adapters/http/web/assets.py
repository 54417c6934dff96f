"""The files that pages load: from this server alone, under addresses that change with content."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from json import loads
from mimetypes import guess_type
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
PACKED = {".js", ".css", ".svg", ".json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in memory, packed too where packing pays."""

    body: bytes
    packed: bytes | None
    media_type: str
    digest: str


def address(name: str) -> str:
    """Where a static file is, such as /static/icons.svg?v=1f0c…: new content, new address."""
    return f"/static/{name}?v={assets()[name].digest}"


def script(name: str) -> str | None:
    """Where a bundle is; None until `infra/setup/assets.py` has made it: pages do without."""
    file = manifest().get(name)
    return f"/static/vendor/{file}" if file else None


@cache
def manifest() -> dict[str, str]:
    """Bundle to file name, as the assets program wrote it."""
    path = STATIC / "vendor" / "manifest.json"
    bundles: dict[str, str] = loads(path.read_text()) if path.exists() else {}
    return bundles


@cache
def assets() -> dict[str, Asset]:
    """Every static file by its path below /static; read once."""
    return dict(_read())


async def serve(request: Request) -> Response:
    """A static file; what carries its hash in its address may be kept for ever."""
    name = request.path_params["name"]
    asset = assets().get(name)
    if asset is None:
        return Response("Nothing is at this address.", 404, media_type="text/plain")
    headers = {"ETag": f'"{asset.digest}"', "Vary": "Accept-Encoding"}
    hashed = name.startswith("vendor/") or request.query_params.get("v") == asset.digest
    headers["Cache-Control"] = FOR_EVER if hashed else ASK_EACH_TIME
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.packed is not None and _takes_gzip(request.headers):
        body, headers["Content-Encoding"] = asset.packed, "gzip"
    return Response(body, headers=headers, media_type=asset.media_type)


def _read() -> Iterator[tuple[str, Asset]]:
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(STATIC).as_posix(), _asset(path)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    packed = gzip.compress(body, 9, mtime=0) if path.suffix in PACKED else None
    kind = guess_type(path.name)[0] or "application/octet-stream"
    return Asset(body, packed, kind, sha256(body).hexdigest()[:12])


def _takes_gzip(headers: Headers) -> bool:
    return "gzip" in headers.get("accept-encoding", "")
