"""Routine checks in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.routine_checks import Look, Plan


@dataclass
class _Check:
    interval: timedelta
    due: datetime
    look: Look | None = None


class InMemoryRoutineChecks:
    """application.routine_checks.RoutineChecks."""

    def __init__(self) -> None:
        self._checks: dict[UUID, _Check] = {}

    async def plan(self, plans: Collection[Plan]) -> None:
        wanted = {plan.cluster_id: plan for plan in plans}
        self._checks = {id_: check for id_, check in self._checks.items() if id_ in wanted}
        for plan in plans:
            first = plan.since + plan.interval
            known = self._checks.setdefault(plan.cluster_id, _Check(plan.interval, first))
            if known.interval != plan.interval:
                since = max(plan.since, known.look.at) if known.look else plan.since
                known.interval, known.due = plan.interval, since + plan.interval
            known.due = max(known.due, first)

    async def take(self, now: datetime, patience: timedelta, limit: int) -> Sequence[UUID]:
        due = [(check.due, id_) for id_, check in self._checks.items() if check.due <= now]
        taken = [id_ for _, id_ in sorted(due)[:limit]]
        for id_ in taken:
            self._checks[id_].due = now + patience
        return taken

    async def keep(self, cluster_id: UUID, look: Look) -> None:
        if check := self._checks.get(cluster_id):
            check.look, check.due = look, look.at + check.interval

    async def give_back(self, cluster_id: UUID, now: datetime) -> None:
        if check := self._checks.get(cluster_id):
            check.due = now

    async def last(self, cluster_ids: Collection[UUID]) -> Mapping[UUID, Look]:
        return {
            id_: check.look
            for id_, check in self._checks.items()
            if id_ in cluster_ids and check.look is not None
        }
