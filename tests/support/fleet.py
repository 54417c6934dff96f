"""A fleet is every process over one database, each started again when it has ended."""

import asyncio
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.migrations import migrate
from adapters.postgres.roles import as_process
from tests.support.quarterdeck import Quarterdeck, eventually

WORDS = ("api", "manager", "projector", "relay")
KEYS = "1:" + "A" * 43 + "="
UP_SECONDS = 120.0
SEEN = "select name, seen_at from samples.processes"


class Fleet:
    """The processes by their names (`api-1`), with their files in `folder`.

    `dsn` is the owner's; the processes sign in as their own role.
    """

    def __init__(self, folder: Path, dsn: str, *, copies: int = 2, **settings: str) -> None:
        self.dsn = dsn
        self.ended: Counter[str] = Counter()
        """What ended by itself, against expectation, with its last word, and how often."""
        shared = {"database_url": as_process(dsn), "keys": KEYS, "lease_seconds": "2", **settings}
        self.members = {
            f"{word}-{n}": Quarterdeck(folder / f"{word}-{n}", name=f"{word}-{n}", **shared)
            for word in WORDS
            if word != "relay" or "kafka" in settings
            for n in range(1, copies + 1)
        }
        self._begun: dict[str, float] = {}

    def __enter__(self) -> Self:
        for name, member in self.members.items():
            member.folder.mkdir(parents=True)
            self._start(name)
        self.until_up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for member in self.members.values():
            member.close()

    @property
    def apis(self) -> list[Quarterdeck]:
        return self._all("api")

    @property
    def audit(self) -> list[str]:
        """The lines that the projectors have printed."""
        return [line for each in self._all("projector") for line in each.output.splitlines()]

    @property
    def errors(self) -> dict[str, str]:
        """The end of what each process has said."""
        return {name: member.errors[-1500:] for name, member in self.members.items()}

    def kill(self, name: str) -> None:
        """End a process as its machine's loss of power does, and start it again."""
        self.members[name].kill()
        self._start(name)

    def until_up(self) -> None:
        """Wait until every process has said that it is there since it was started last."""
        eventually(self._all_up, UP_SECONDS, lambda: (self.ended, self.errors))

    def revive(self) -> None:
        """Start again what has ended by itself, as `restart: unless-stopped` does."""
        for name, member in self.members.items():
            if member.process is not None and member.process.poll() is not None:
                last = (member.errors.strip().splitlines() or ["it said nothing"])[-1]
                self.ended[f"{name.split('-')[0]}: {last}"] += 1
                self._start(name)

    def _all(self, word: str) -> list[Quarterdeck]:
        return [member for name, member in self.members.items() if name.startswith(word)]

    def _start(self, name: str) -> None:
        self._begun[name] = time.time()
        self.members[name].start(name.split("-")[0], await_ready=False)

    def _all_up(self) -> bool:
        self.revive()
        try:
            with psycopg.connect(self.dsn, connect_timeout=5) as connection:
                seen: dict[str, datetime] = dict(connection.execute(SEEN).fetchall())
        except psycopg.OperationalError:
            return False
        return all(
            name in seen and seen[name].timestamp() > begun for name, begun in self._begun.items()
        )


@contextmanager
def fleet_over(
    folder: Path, server: EmbeddedPostgres, *, copies: int = 2, **settings: str
) -> Iterator[Fleet]:
    """A running fleet over a fresh server, with its files below `folder` until it is gone."""
    asyncio.run(migrate(server.dsn))
    own = folder / f"fleet-{secrets.token_hex(4)}"
    with Fleet(own, server.dsn, copies=copies, **settings) as fleet:
        yield fleet
    shutil.rmtree(own, ignore_errors=True)
