"""Tell the history of a stream, event by event: who, when, from where, why, and what it changed."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.bootstrap import CannotStart, Hub
from application.ports import Erased
from domain.auth_tokens import AuthToken
from domain.cluster_settings import ClusterSettings
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from domain.data_keys import DataKey
from domain.event_log import EventLog
from domain.model import Aggregate, Recorded
from domain.secrets import MASK, Secret
from domain.tasks import Task
from domain.users import Session, SignInLink, User
from domain.workspaces import Workspace

AGGREGATES: dict[str, type[Aggregate]] = {
    "workspace": Workspace,
    "user": User,
    "sign_in_link": SignInLink,
    "session": Session,
    "auth_token": AuthToken,
    "cluster_template": ClusterTemplate,
    "cluster": Cluster,
    "cluster_settings": ClusterSettings,
    "task": Task,
    "data_key": DataKey,
    "log": EventLog,
}
"""The aggregate of a stream, by the first word of its events' topics."""
ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Step:
    """One event and what it did: field to (before, after), secrets masked."""

    recorded: Recorded
    changes: dict[str, tuple[Any, Any]]


async def steps(hub: Hub, stream_id: UUID, at: datetime | None = None) -> AsyncIterator[Step]:
    """The steps of a stream up to an instant. Raises CannotStart when there is no such stream."""
    records = await hub.store.load(stream_id)
    if not records:
        raise CannotStart(f"There is no stream {stream_id}.")
    kind = AGGREGATES[records[0].event.topic.split(".")[0]]
    erased = await _erased(hub, stream_id, records)
    state: Aggregate | None = None
    for recorded in records:
        if at is not None and recorded.recorded_at > at:
            return
        before, state = state, kind.evolve(state, recorded.event)
        yield Step(recorded, differences(shown(before, erased), shown(state, erased)))


async def _erased(hub: Hub, stream_id: UUID, records: Sequence[Recorded]) -> Collection[Secret]:
    """The secrets of the stream that nobody can read any more."""
    secrets: set[Secret] = set()

    def collect(_: str, secret: Secret) -> Secret:
        secrets.add(secret)
        return secret

    for recorded in records:
        recorded.event.with_secrets(collect)
    return {secret for secret in secrets if await _is_erased(hub, stream_id, secret)}


async def _is_erased(hub: Hub, stream_id: UUID, secret: Secret) -> bool:
    try:
        await hub.vault.open(stream_id, secret)
    except Erased:
        return True
    return False


async def stream_named(hub: Hub, name: str) -> UUID:
    """The stream of an id, or of a cluster's name. Raises CannotStart."""
    try:
        return UUID(name)
    except ValueError:
        found = await _clusters_named(hub, name)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CannotStart(f"There is no stream and no cluster named {name}.")
    ids = ", ".join(str(cluster_id) for cluster_id in found)
    raise CannotStart(f"Several clusters have been named {name}: {ids}.")


async def _clusters_named(hub: Hub, name: str) -> Sequence[UUID]:
    """Clusters that bear the name now, or bore it when they were made."""
    async with hub.pool.connection() as connection:
        cursor = await connection.execute(
            "select holder from log.claims where key like 'cluster:%%' and split_part(key, ':', 3)"
            " = %s union select originator_id from log.stored_events where topic ="
            " 'cluster.created' and convert_from(state, 'UTF8')::jsonb ->> 'name' = %s",
            [name, name],
        )
        return [row[0] for row in await cursor.fetchall()]


def shown(state: Aggregate | None, erased: Collection[Secret] = ()) -> dict[str, Any]:
    """The fields of a state as a reader may see them."""
    if state is None:
        return {}
    return {name: _masked(getattr(state, name), erased) for name in type(state).model_fields}


def _masked(value: Any, erased: Collection[Secret]) -> Any:
    match value:
        case Secret():
            return ERASED if value in erased else MASK
        case dict():
            return {key: _masked(item, erased) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item, erased) for item in value]
        case _ if hasattr(value, "model_fields"):
            fields = type(value).model_fields
            return {name: _masked(getattr(value, name), erased) for name in fields}
    return value


def differences(
    before: dict[str, Any], after: dict[str, Any], within: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Which fields differ, each with its value before and after; one within another by its path."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found |= differences(old, new, f"{within}{name}.")
        elif old != new:
            found[f"{within}{name}"] = (old, new)
    return found
