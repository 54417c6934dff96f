"""What one client can cost another: a reader of a second workspace, alone and under each attack.

The reader asks for its list ten times a second from this process, the attack comes from another,
and the server is `quarterdeck up` in a third. HOSTILE may name the attacks, with spaces between.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import uvloop

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.event_store import PostgresEventStore
from application.ports import Append, Claim, StreamAppend
from domain.model import Event
from domain.workspaces import Workspace, WorkspaceRenamed, WorkspaceSettings
from tests.benchmarks.attacks import ATTACKS, Target
from tests.benchmarks.bench import Figure
from tests.benchmarks.fleet import percentile, resident_mib, until_shown
from tests.support.quarterdeck import Quarterdeck

EVENTS = 12_000
ASKS_PER_SECOND = 10
ALONE_SECONDS = 10.0
MIN_SECONDS = 4.0
MOST_SECONDS = 60.0
ATTACKER = UUID("3d0f7d0c-52a1-4f0c-9a35-0a5a5f1f4a11")


def run() -> Iterator[Figure]:
    with _server() as program:
        house = _House(program)
        house.ask_for(2.0)
        alone = percentile(house.ask_for(ALONE_SECONDS).milliseconds, 95)
        under: dict[str, _Seen] = {}
        for name in os.environ.get("HOSTILE", "").split() or ATTACKS:
            under[name] = house.under(name)
            p95 = percentile(under[name].milliseconds, 95)
            most = max(under[name].milliseconds)
            print(f"     {name}: p95 {p95:.0f} ms, most {most:.0f} ms", file=sys.stderr, flush=True)
            house.until_quiet(alone)
    p95s = {name: percentile(seen.milliseconds, 95) for name, seen in under.items()}
    worst = max(p95s, key=lambda name: p95s[name])
    told = ", ".join(f"{name} {p95:.0f}" for name, p95 in p95s.items())
    yield Figure(
        "victim_p95_ratio",
        p95s[worst] / alone,
        5,
        at_most=True,
        told=f"worst: {worst}; alone {alone:.1f} ms; {told}",
    )
    for seen in filter(None, [under.get("silent_readers")]):
        yield Figure("silent_readers_rss_mib", seen.most_mib, 300, at_most=True)
    for seen in filter(None, [under.get("spinning_templates")]):
        yield Figure("victim_creation_p95_s", percentile(seen.creations, 95), 2, at_most=True)


@contextmanager
def _server() -> Iterator[Quarterdeck]:
    """`quarterdeck up` whose audit has some thousand lines of the attacking workspace."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        program = Quarterdeck(folder)
        try:
            program.start()
            program.stop()
            uvloop.run(_fill(folder))
            program.start()
            until_shown(program, program.token("--global"))
            yield program
        finally:
            program.close()


async def _fill(folder: Path) -> None:
    who = {"workspace_id": ATTACKER, "workspace": "attacker"}
    events: list[Event] = list(Workspace.create("a", "attacker", WorkspaceSettings()))
    events += [
        WorkspaceRenamed(name=f"n{n}", previous_name=f"n{n - 1}")
        for n in range(EVENTS - len(events))
    ]
    async with (
        EmbeddedPostgres(folder / "data" / "postgres") as server,
        PostgresEventStore(server.dsn) as store,
    ):
        for start in range(0, len(events), 100):
            claims = [] if start else [Claim("workspace:attacker", ATTACKER)]
            append = StreamAppend(ATTACKER, start, events[start : start + 100])
            await store.append(Append([append], who, claims))


@dataclass
class _Seen:
    """What the reader measured, and how much memory the server took at most meanwhile."""

    milliseconds: list[float]
    most_mib: float
    creations: list[float]


class _House:
    """The second workspace, with its reader."""

    def __init__(self, program: Quarterdeck) -> None:
        assert program.process is not None
        self._pid = program.process.pid
        token = program.token("--global")
        client = program.client(token)
        client.ok("POST", "workspaces", {"name": "Victim", "slug": "victim"})
        own = program.token("--workspace", "victim")
        self._http = httpx2.Client(
            base_url=f"{program.url}/api/v1/", headers={"X-Auth-Token": own}, timeout=120
        )
        attacker = program.token("--workspace", "attacker")
        newest = program.client(attacker).ok("GET", "audit?limit=1")[0]
        self._target = Target(program.url, attacker, newest["time"])
        sections = [{"name": "Settings", "source": "a: 1"}]
        made = self._ok("cluster_templates", {"name": "plain", "sections": sections})
        self._version = made["current_cluster_template_version_id"]
        for _ in range(10):
            self._create()

    def under(self, name: str) -> _Seen:
        target = self._target
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.benchmarks.attacks", name),
                *(target.url, target.token, target.ends_at),
            ]
        ) as attack:
            creations: list[float] = []
            over = threading.Event()
            creating = threading.Thread(target=self._keep_creating, args=(creations, over))
            if name == "spinning_templates":
                creating.start()
            seen = self.ask_for(MOST_SECONDS, lambda: attack.poll() is not None)
            over.set()
            if creating.ident:
                creating.join()
            attack.kill()
        return _Seen(seen.milliseconds, seen.most_mib, creations)

    def ask_for(self, seconds: float, is_over: Callable[[], bool] = lambda: False) -> _Seen:
        """Ask for the list for so long, or until it is over."""
        seen = _Seen([], 0.0, [])
        begun = due = time.perf_counter()
        while (now := time.perf_counter()) < begun + seconds:
            if now > begun + MIN_SECONDS and is_over():
                break
            answer = self._http.get("clusters")
            seen.milliseconds.append((time.perf_counter() - now) * 1000)
            assert answer.status_code in (200, 504), answer.text
            seen.most_mib = max(seen.most_mib, resident_mib(self._pid))
            due += 1 / ASKS_PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
        return seen

    def until_quiet(self, alone: float) -> None:
        """Let what an attack left behind come to its end."""
        for _ in range(10):
            if max(self.ask_for(1.5).milliseconds) < 3 * alone:
                return

    def _keep_creating(self, seconds: list[float], over: threading.Event) -> None:
        while not over.is_set():
            begun = time.perf_counter()
            self._create()
            seconds.append(time.perf_counter() - begun)
            over.wait(0.2)

    def _create(self) -> None:
        self._ok("clusters", {"name": uuid4().hex, "cluster_template_version_id": self._version})

    def _ok(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()
