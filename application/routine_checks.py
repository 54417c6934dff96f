"""Routine checks: installed clusters are looked at by themselves, and only news reach the log."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid5

from application.clusters import CheckCluster
from application.known_secrets import masked_end, masker_of
from application.operation_requests import Tools, request_of_look
from application.ports import (
    Clock,
    Continue,
    Finished,
    HostKeyOffered,
    Operation,
    Overloaded,
    PhaseEnded,
    TracesLost,
    Unavailable,
)
from application.work import of_its_own_accord
from domain.clusters import Cluster, Found
from domain.model import Refusal

logger = logging.getLogger(__name__)

PLAN_EVERY = timedelta(minutes=1)
PATIENCE = timedelta(minutes=15)
"""So long after it was taken a look whose manager is gone is due again."""
MOST_DETAIL = 4000


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster is looked at every `interval`, and for the first time an interval after `since`."""

    cluster_id: UUID
    interval: timedelta
    since: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at a cluster's machines, and when; `detail` is for people."""

    at: datetime
    found: Found
    detail: str = ""


class RoutineChecks(Protocol):
    """When each cluster is looked at next, and what was found last: samples, never events."""

    async def plan(self, plans: Collection[Plan]) -> None:
        """Look at these clusters and at no others. What is due stays due; another interval counts
        from the last look on, and `since` puts a look off when it is later than that."""
        ...

    async def take(self, now: datetime, patience: timedelta, limit: int) -> Sequence[UUID]:
        """Clusters that are due, those that wait longest, each given to one taker alone; they are
        due again after `patience`."""
        ...

    async def keep(self, cluster_id: UUID, look: Look) -> None:
        """Keep what was found; the next look is due an interval after it."""
        ...

    async def give_back(self, cluster_id: UUID, now: datetime) -> None:
        """It was taken and not looked at: it is due now."""
        ...

    async def last(self, cluster_ids: Collection[UUID]) -> Mapping[UUID, Look]:
        """What was found last, of those that were looked at."""
        ...


class Fleet(Protocol):
    """Which clusters are to be looked at, and how often; it may lag behind the log."""

    async def plans(self) -> Sequence[Plan]: ...


@dataclass(slots=True)
class RoutineChecker:
    """Looks at what is due. Several share the work: a look is taken by one of them."""

    tools: Tools
    clock: Clock
    checks: RoutineChecks
    fleet: Fleet
    slots: int = 10
    rest_seconds: float = 2.0
    _looking: set[UUID] = field(default_factory=set)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _planned_at: datetime | None = None

    @property
    def running(self) -> int:
        """How many clusters it looks at just now."""
        return len(self._looking)

    async def run(self) -> None:
        """Look until cancelled; what was not looked at to its end is due again then."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._ended.clear()
                await self.turn(group)
                await self._rest()

    async def turn(self, group: asyncio.TaskGroup) -> None:
        """One round: plan when it is time, and begin to look at what is due."""
        now = self.clock.now()
        try:
            if self._planned_at is None or now - self._planned_at >= PLAN_EVERY:
                await self.checks.plan(await self.fleet.plans())
                self._planned_at = now
            free = self.slots - len(self._looking)
            for cluster_id in await self.checks.take(now, PATIENCE, free) if free else ():
                self._looking.add(cluster_id)
                group.create_task(self._look(cluster_id, now), name=f"look at {cluster_id}")
        except (Unavailable, Overloaded):
            return

    async def _rest(self) -> None:
        """Until a slot is free again, or for a while."""
        try:
            async with asyncio.timeout(self.rest_seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def _look(self, cluster_id: UUID, now: datetime) -> None:
        """From taking to keeping; what is wrong with one cluster is not the end of the others."""
        try:
            await self._look_at(cluster_id, uuid5(cluster_id, f"look at {now.isoformat()}"))
        except (Unavailable, Overloaded):
            return
        except asyncio.CancelledError:
            await self._give_back(cluster_id)
            raise
        except Exception:
            logger.exception("Cluster %s cannot be looked at.", cluster_id)
        finally:
            self._looking.discard(cluster_id)
            self._ended.set()

    async def _give_back(self, cluster_id: UUID) -> None:
        try:
            await self.checks.give_back(cluster_id, self.clock.now())
        except (Unavailable, Overloaded):
            return

    async def _look_at(self, cluster_id: UUID, look_id: UUID) -> None:
        cluster = await self.tools.cluster(cluster_id)
        if not cluster.is_looked_at:
            return
        request = await request_of_look(self.tools, cluster_id, cluster, look_id)
        async with self.tools.installer.open(request) as operation:
            finished = await _end_of(operation)
        if finished is not None and (finished.error or finished.drift):
            masker = await masker_of(self.tools, cluster_id, request.documents)
            finished = masked_end(finished, masker)
        look = _look_of(finished, self.clock.now())
        await self.checks.keep(cluster_id, look)
        # What was found of a cluster that has changed meanwhile says nothing of it as it is now.
        is_as_before = await self.tools.cluster(cluster_id) == cluster
        if is_as_before and (finished is None or cluster.is_news(look.found)):
            await self._ask_for_a_check(cluster_id, cluster)

    async def _ask_for_a_check(self, cluster_id: UUID, cluster: Cluster) -> None:
        """News are told by a task: it looks again, has a log, and changes the status."""
        check = CheckCluster(workspace_id=cluster.workspace_id, cluster_id=cluster_id)
        try:
            await self.tools.bus.execute(check, of_its_own_accord())
        except Refusal:
            return


async def _end_of(operation: Operation) -> Finished | None:
    """How the look ended; None when a host has no pinned key, for pinning one is a task's."""
    async for report in operation:
        match report:
            case HostKeyOffered():
                return None
            case PhaseEnded() | TracesLost():
                operation.answer(Continue.NEXT_PHASE)
            case Finished():
                return report
    return None


def _look_of(finished: Finished | None, at: datetime) -> Look:
    if finished is None:
        return Look(at, Found.NOTHING, "The host's key is not known yet.")
    if finished.error is not None or finished.cancelled or finished.is_lost:
        return Look(at, Found.NOTHING, (finished.error or "")[:MOST_DETAIL])
    if finished.in_sync is False:
        return Look(at, Found.DRIFTED, (finished.drift or "")[:MOST_DETAIL])
    return Look(at, Found.IN_SYNC)
