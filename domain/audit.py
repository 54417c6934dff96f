"""An audit line tells one act on a record, in the product's own words and from the event alone."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from pydantic import BaseModel

from domain.model import Recorded
from domain.secrets import MASK, Secret

Form = Literal["json", "text"]
"""`json` is the form of Commander 1.9 and later, `text` the bracketed one of before."""

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NANOSECONDS_OF_POSITION = 1_000_000
_NOT_IN_BRACKETS = {ord("["): "\\u005b", ord("]"): "\\u005d"}


class CannotBeTold(Exception):
    """An event that this program cannot read or show: it may be an act, or none."""


def audit_line(recorded: Recorded, zone: tzinfo, form: Form = "json") -> str | None:
    """One line without its end, the same bytes whenever it is asked for; None when nothing is told.

    Times are those of `zone`. Secrets are masked. Raises CannotBeTold.
    """
    if not recorded.event.topic:
        raise CannotBeTold(f"{getattr(recorded.event, 'stored_topic', 'it')} cannot be read here")
    try:
        return _line(recorded, zone, form)
    except Exception as error:
        # An event may hold anything at all. The error's own text could tell what it must not.
        raise CannotBeTold(f"{recorded.event.topic}: {type(error).__name__}") from error


def _line(recorded: Recorded, zone: tzinfo, form: Form) -> str | None:
    audited = recorded.event.audited()
    if audited is None:
        return None
    about: dict[str, Any] = {
        "auditable_type": audited.auditable_type,
        "auditable_id": recorded.stream_id,
        "action": audited.action,
        "user_type": recorded.metadata.actor.type,
        "remote_address": recorded.metadata.remote_address,
        "request_uuid": recorded.metadata.request_id,
        "workspace_slug": recorded.metadata.workspace,
        "user_name": recorded.metadata.actor.name,
    }
    if form == "text":
        return _text(recorded, about, zone)
    return _json(
        {
            "level": "INFO",
            "time": recorded.recorded_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z"),
            "request_id": recorded.metadata.request_id,
            "pid": recorded.metadata.pid,
            "tags": ["audit"],
            **about,
            "audited_changes": _shown(audited.audited_changes, zone),
            "position": recorded.position,
        }
    )


def audit_nanoseconds(recorded: Recorded) -> int:
    """The act's own instant since 1970, in nanoseconds that rise with the position.

    All events of a commit share one `recorded_at`, so the position stands below the millisecond.
    Only where it passes a multiple of a million may two acts of one millisecond change places.
    """
    microseconds = (recorded.recorded_at - _EPOCH) // _MICROSECOND
    return microseconds * 1000 + recorded.position % _NANOSECONDS_OF_POSITION


def _text(recorded: Recorded, about: dict[str, Any], zone: tzinfo) -> str:
    """The older form has no offset, no changes, and for each act a UUID of its own."""
    metadata = recorded.metadata
    about["request_uuid"] = metadata.correlation_id or recorded.event_id
    about["position"] = recorded.position
    seconds, nanoseconds = divmod(audit_nanoseconds(recorded), 1_000_000_000)
    at = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    fraction = f"{nanoseconds:09}"
    brackets = [f"{at}.{fraction}", _bare(metadata.request_id), _bare(metadata.pid), "audit"]
    return " ".join([f"{at}.{fraction[:3]}", *(f"[{b}]" for b in brackets), _json(about)])


def _bare(value: object) -> str:
    """What came from outside cannot close its bracket or begin a line."""
    if value is None:
        return "-"
    return json.dumps(str(value))[1:-1].translate(_NOT_IN_BRACKETS)


def _shown(value: Any, zone: tzinfo) -> Any:
    match value:
        case datetime():
            return value.astimezone(zone).isoformat(timespec="milliseconds")
        case Secret():
            return MASK
        case BaseModel():
            return {name: _shown(field, zone) for name, field in value}
        case Mapping():
            return {str(key): _shown(item, zone) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item, zone) for item in value]
        case set() | frozenset():
            return sorted(_shown(item, zone) for item in value)
    return value
