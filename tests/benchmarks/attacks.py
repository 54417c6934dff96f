"""What a hostile or careless client sends, each as one coroutine against a running server.

They are the rows of one table of tried requests: bodies that make many faults, secrets of many
lines, patterns, answers that nobody reads, exports, live streams, reads of the past, templates
that do not end.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

SECONDS = 8.0
"""How long an attack goes on that has no end by itself."""
PASSWORDS = 12
LINES = 7_000
SPINNING = "{{ range until 100000 }}{{ range until 100000 }}{{ . }}{{ end }}{{ end }}"
EMPTY_SECTIONS = orjson.dumps({"name": "x", "sections": [{}] * 200_000})


@dataclass(frozen=True)
class Target:
    """A server, a token of the workspace that attacks, and an instant at the end of its past."""

    url: str
    token: str
    ends_at: str

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=f"{self.url}/api/v1/",
            headers={"X-Auth-Token": self.token},
            timeout=60,
            limits=httpx2.Limits(max_connections=100),
        )


Attack = Callable[[Target], Awaitable[None]]


async def empty_sections(target: Target) -> None:
    async with target.client() as api:
        await _post(api, "cluster_templates", EMPTY_SECTIONS)


async def named_sections(target: Target) -> None:
    sections = [{"name": f"s{n}", "source": ""} for n in range(20_000)]
    async with target.client() as api:
        await _post(api, "cluster_templates", {"name": "sections", "sections": sections})


async def unknown_fields(target: Target) -> None:
    async with target.client() as api:
        await _post(api, "clusters", {f"field{n}": 1 for n in range(75_000)})


async def unknown_parameters(target: Target) -> None:
    async with target.client() as api:
        for _ in range(3):
            await api.get("clusters?" + "&".join(f"p{n}" for n in range(9_000)))


async def long_passwords(target: Target) -> None:
    names = [f"p{n}" for n in range(PASSWORDS)]
    params = [
        {"key": name, "title": name, "type": "string", "format": "password"} for name in names
    ]
    source = "".join(f"{name}: {{{{ .{name} | quote }}}}\n" for name in names)
    async with target.client() as api:
        version = await _template(api, "passwords", params, source)
        values = {
            name: "\n".join(f"{n:02d}{line:06d}" for line in range(LINES))
            for n, name in enumerate(names)
        }
        made = await _post(
            api,
            "clusters",
            {"name": "passwords", "cluster_template_version_id": version, "values": values},
        )
        for _ in range(3):
            await api.get(f"clusters/{made.get('id')}")


async def patterns(target: Target) -> None:
    params = [{"key": "a", "title": "A", "type": "string", "pattern": f"({'a?' * 200}){{0,4}}b"}]
    async with target.client() as api:
        version = await _template(api, "patterns", params, "a: 1")
        body = {"cluster_template_version_id": version, "values": {"a": "a" * 6_000}}
        bodies = [{**body, "name": f"pattern-{n}"} for n in range(24)]
        await _by(8, (partial(_post, api, "clusters", each) for each in bodies))


async def silent_readers(target: Target) -> None:
    connections = [await _sent(target, EMPTY_SECTIONS) for _ in range(12)]
    await asyncio.sleep(SECONDS)
    for writer in connections:
        writer.transport.abort()


async def exports(target: Target) -> None:
    async with target.client() as api:
        await _by(10, [partial(api.get, "audit", headers={"Accept": "text/csv"})] * 20)


async def streams(target: Target) -> None:
    async with target.client() as api, asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(_reconnecting(api, "events?after=0&topics=nothing.*"))


async def past_reads(target: Target) -> None:
    end = datetime.fromisoformat(target.ends_at)
    moments = [(end - timedelta(milliseconds=20 * n)).isoformat() for n in range(60)]
    async with target.client() as api:
        await _by(10, (partial(api.get, "clusters", params={"at": each}) for each in moments))


async def spinning_templates(target: Target) -> None:
    async with target.client() as api:
        version = await _template(api, "spins", [], SPINNING)
        bodies = [{"cluster_template_version_id": version, "name": f"spin-{n}"} for n in range(60)]
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * SECONDS):
                await _by(40, (partial(_post, api, "clusters", body) for body in bodies))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        empty_sections,
        named_sections,
        unknown_fields,
        unknown_parameters,
        long_passwords,
        patterns,
        silent_readers,
        exports,
        streams,
        past_reads,
        spinning_templates,
    )
}


async def _post(api: httpx2.AsyncClient, path: str, body: Any) -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await api.post(path, content=content, headers={"Content-Type": "application/json"})
    return answer.json() if answer.is_success else {"error": answer.text[:500]}


async def _template(api: httpx2.AsyncClient, name: str, params: Any, source: str) -> str:
    sections = [{"name": "Settings", "source": source}]
    made = await _post(
        api, "cluster_templates", {"name": name, "params": params, "sections": sections}
    )
    version: str = made["current_cluster_template_version_id"]
    return version


async def _by(count: int, requests: Iterable[Callable[[], Awaitable[Any]]]) -> None:
    """All of them, so many at once; what comes of each does not matter."""
    places = asyncio.Semaphore(count)

    async def ask(request: Callable[[], Awaitable[Any]]) -> None:
        async with places:
            with suppress(httpx2.HTTPError):
                await request()

    async with asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(ask(request))


async def _reconnecting(api: httpx2.AsyncClient, path: str) -> None:
    end = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < end:
        with suppress(TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(0.3), api.stream("GET", path) as answer:
                await answer.aread()


async def _sent(target: Target, body: bytes) -> asyncio.StreamWriter:
    """A connection over which a template was sent; nobody reads what is answered."""
    where = urlsplit(target.url)
    _, writer = await asyncio.open_connection(where.hostname, where.port, limit=1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    head = (
        f"POST /api/v1/cluster_templates HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"X-Auth-Token: {target.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    return writer


if __name__ == "__main__":
    asyncio.run(ATTACKS[sys.argv[1]](Target(*sys.argv[2:])))
