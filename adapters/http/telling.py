"""A recorded event as it may be told to those who may read it: no secret, no hash of a word."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from domain.model import Recorded
from domain.secrets import MASK, Secret
from projections.reader import rfc3339

HIDDEN = frozenset({"word_hash"})


def told(recorded: Recorded) -> dict[str, Any]:
    """The envelope and the event, as JSON shows them."""
    metadata = recorded.metadata
    return {
        "position": recorded.position,
        "id": str(recorded.event_id),
        "stream_id": str(recorded.stream_id),
        "version": recorded.version,
        "topic": recorded.event.topic,
        "recorded_at": rfc3339(recorded.recorded_at),
        "workspace_id": metadata.workspace_id and str(metadata.workspace_id),
        "workspace": metadata.workspace,
        "actor": {
            "type": metadata.actor.type,
            "id": metadata.actor.id and str(metadata.actor.id),
            "name": metadata.actor.name,
        },
        "remote_address": metadata.remote_address,
        "request_id": metadata.request_id,
        "correlation_id": metadata.correlation_id and str(metadata.correlation_id),
        "causation_id": metadata.causation_id and str(metadata.causation_id),
        "event": shown(recorded.event),
    }


def shown(value: Any) -> Any:
    """A value as JSON shows it, with every secret masked."""
    match value:
        case Secret():
            return MASK
        case BaseModel():
            return {name: shown(field) for name, field in value if name not in HIDDEN}
        case Mapping():
            return {str(key): shown(item) for key, item in value.items()}
        case list() | tuple():
            return [shown(item) for item in value]
        case set() | frozenset():
            return sorted(shown(item) for item in value)
        case datetime():
            return rfc3339(value)
        case UUID():
            return str(value)
    return value
