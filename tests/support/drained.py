"""When all is over, every acknowledged command is there once, wherever one looks."""

import asyncio
import json
from collections import Counter
from datetime import UTC

import psycopg

from domain.audit import audit_line
from tests.support.fleet import Fleet
from tests.support.load import Load, asking_again, effects, records
from tests.support.quarterdeck import eventually
from tests.support.servers import SshHost

DRAINED_SECONDS = 300.0
PAUSE_SECONDS = 0.2
OVER = {"succeeded", "failed", "cancelled", "lost", "lost_in_critical"}
PHASES = {"install": ("first", "second"), "change": ("first", "second"), "delete": ("destroy",)}
PARKED = """
    select reader, position, reason from deliveries.parked
    union all select 'build ' || build, position, reason from read_models.parked_events
"""


def must_have_drained(fleet: Fleet, load: Load, host: SshHost) -> None:
    """In the log, in the read models, on the host, in a rebuild; and nothing else is there."""
    asyncio.run(_until_drained(fleet, load))
    assert asyncio.run(effects(fleet.dsn)) == Counter([*load.everywhere.done, *load.inside.done])
    asyncio.run(_must_be_shown(load, host))
    assert _parked(fleet.dsn) == []
    _must_be_told(fleet)
    for words in (["rebuild", "--check"], ["verify"]):
        ended = fleet.apis[0].run(*words)
        assert ended.returncode == 0, ended.stdout + ended.stderr


async def _until_drained(fleet: Fleet, load: Load) -> None:
    """Wait until no task is left, as the read models of the log's head show it."""
    async with asking_again(load.inside) as inside, asyncio.timeout(DRAINED_SECONDS):
        while True:
            fleet.revive()
            await inside.read(f"tasks?limit=1&after={_head(fleet.dsn)}")
            if all([task["status"] in OVER async for task in inside.pages("tasks")]):
                return
            await asyncio.sleep(PAUSE_SECONDS)


async def _must_be_shown(load: Load, host: SshHost) -> None:
    async with asking_again(load.everywhere) as everywhere, asking_again(load.inside) as inside:
        shown = {c["name"]: c["current_revision"] async for c in inside.pages("clusters")}
        assert shown == load.revisions
        slugs = Counter(w["slug"] for w in await everywhere.read("workspaces"))
        assert slugs == Counter(["load", *load.houses])
        tasks = [task async for task in inside.pages("tasks")]
    others = [task for task in tasks if task["status"] != "succeeded"]
    assert not others
    scripts = [f"{task['id']} {phase}" for task in tasks for phase in PHASES[task["kind"]]]
    assert Counter((host.home / "ran").read_text().splitlines()) == Counter(scripts)


def _must_be_told(fleet: Fleet) -> None:
    """An audit line for each event that has one: at least once, and whole."""
    wanted = asyncio.run(audited(fleet.dsn))

    def told() -> set[int]:
        return {json.loads(line)["position"] for line in fleet.audit}

    eventually(lambda: told() >= wanted, DRAINED_SECONDS, lambda: (wanted - told(), fleet.errors))
    assert told() == wanted


async def audited(dsn: str) -> set[int]:
    """The positions of the events that the audit tells of."""
    return {
        recorded.position
        async for recorded in records(dsn)
        if audit_line(recorded, UTC) is not None
    }


def _head(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        (position,) = connection.execute("select position from log.head").fetchone() or (0,)
    return int(position)


def _parked(dsn: str) -> list[tuple[str, int, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(PARKED).fetchall()
