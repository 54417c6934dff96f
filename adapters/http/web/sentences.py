"""What happened, told from a row of the history: a sentence for people, and what was before."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.http.web import words
from projections.reader import Shown

MOST_FIELDS = 3
LONGEST = 60


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after; None where it was not there."""

    field: str
    before: str | None
    after: str | None


def told(row: Shown) -> str:
    """What someone did, to be read after their name."""
    changes = row["audited_changes"] or {}
    teller = TELLERS.get(row["topic"])
    if teller is not None and changes:
        return teller(changes, row)
    name = row["name"] if row["topic"].partition(".")[0] in NAMED else None
    return f"{words.phrase(row['topic'])}{f' {name}' if name else ''}"


NAMED = {"cluster", "workspace", "cluster_template", "auth_token", "user"}


def field_changes(changes: Mapping[str, Any] | None, action: str | None) -> list[FieldChange]:
    """Every field of an audit record: pairs on update, values alone else."""
    return list(_changes(changes or {}, is_pairs=action == "update"))


def _changes(changes: Mapping[str, Any], *, is_pairs: bool) -> Iterator[FieldChange]:
    for field, value in changes.items():
        if is_pairs and isinstance(value, list) and len(value) == 2:
            yield from _pair(field, *value)
        else:
            yield from _pair(field, None, value)


def _pair(field: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """Nested fields by their path, those alone that differ."""
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old = before if isinstance(before, Mapping) else {}
        new = after if isinstance(after, Mapping) else {}
        for key in dict.fromkeys((*old, *new)):
            if old.get(key) != new.get(key) or (key in old) != (key in new):
                yield from _pair(f"{field}.{key}", old.get(key), new.get(key))
    else:
        yield FieldChange(field, _text(before), _text(after))


def _text(value: Any) -> str | None:
    return None if value is None or value == [] else words.shown(value)


def _configured(changes: Mapping[str, Any], _: Shown) -> str:
    """Changed 2 parameters: greeting Hello → Hi, workers 2 → 3."""
    fields = [
        FieldChange(each.field.removeprefix("values."), each.before, each.after)
        for each in _changes(changes, is_pairs=True)
    ]
    version = [each for each in fields if each.field == "cluster_template_version_id"]
    values = [each for each in fields if each not in version]
    parts = ["moved to another version of the template"] if version else []
    if values:
        told_fields = ", ".join(_arrow(each) for each in values[:MOST_FIELDS])
        more = f" and {len(values) - MOST_FIELDS} more" if len(values) > MOST_FIELDS else ""
        parts.append(f"changed {told_fields}{more}")
    return " and ".join(parts) or "changed nothing"


def _arrow(change: FieldChange) -> str:
    before, after = _short(change.before), _short(change.after)
    if before == after:
        return f"{change.field}, which is not shown"
    if change.before is None:
        return f"{change.field} to {after}"
    return f"{change.field} {before} → {after}"


def _short(text: str | None) -> str:
    line = " ".join((text or "–").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _requested(changes: Mapping[str, Any], _: Shown) -> str:
    kind = str((changes.get("task") or [None, "a task"])[1]).split()[0]
    return words.asked(kind)


def _status(changes: Mapping[str, Any]) -> str:
    after = (changes.get("status") or [None, ""])[1]
    return words.INFRASTRUCTURE.get(after, str(after)).lower()


def _failed(changes: Mapping[str, Any], _: Shown) -> str:
    return f"could not: {_short((changes.get('error') or [None, ''])[1])}"


def _renamed(changes: Mapping[str, Any], _: Shown) -> str:
    before, after = (changes.get("name") or ["", ""])[:2]
    return f"renamed {before} → {after}"


def _host_key(verb: str) -> Callable[[Mapping[str, Any], Shown], str]:
    def tell(changes: Mapping[str, Any], _: Shown) -> str:
        host = next(iter(changes), "").removeprefix("host_keys.")
        return f"{verb} the host key of {host}"

    return tell


def _settings(changes: Mapping[str, Any], row: Shown) -> str:
    """Set that changes are applied at once, checked every 5 min."""
    after = {
        each.field.rpartition(".")[2]: each.after for each in field_changes(changes, row["action"])
    }
    mode = after.get("mode") or after.get("change_mode")
    parts = []
    if mode:
        parts.append(f"that changes are applied {words.CHANGE_MODES.get(mode, mode)}")
    if interval := after.get("check_interval"):
        parts.append(f"a check every {interval} min")
    if (installs := after.get("install_on_create")) is not None:
        parts.append(
            f"that new clusters are installed {words.INSTALLED['yes' if installs else 'no']}"
        )
    return f"set {' and '.join(parts)}" if parts else "set how changes are applied"


def _version(changes: Mapping[str, Any], row: Shown) -> str:
    return f"published version {(changes.get('version') or [None, '?'])[1]} of {row['name']}"


def _task(changes: Mapping[str, Any], row: Shown) -> str:
    kind = words.KINDS.get(row["name"] or "", "the task").lower()
    if row["action"] == "create":
        return f"queued the task: {kind}"
    return f"ended the task: {kind}, {words.TASKS.get(_after(changes), _after(changes)).lower()}"


def _after(changes: Mapping[str, Any]) -> str:
    return str((changes.get("status") or [None, ""])[1])


TELLERS: Mapping[str, Callable[[Mapping[str, Any], Shown], str]] = {
    "cluster.configured": _configured,
    "cluster.renamed": _renamed,
    "cluster.operation_requested": _requested,
    "cluster.applied": lambda changes, _: f"applied it: {_status(changes)}",
    "cluster.checked": lambda changes, _: f"checked it: {_status(changes)}",
    "cluster.operation_failed": _failed,
    "cluster.deletion_wanted": lambda *_: words.phrase("cluster.deletion_wanted"),
    "cluster.host_key_pinned": _host_key("pinned"),
    "cluster.host_key_forgotten": _host_key("forgot"),
    "cluster_settings.created": _settings,
    "cluster_settings.changed": _settings,
    "cluster_template.version_added": _version,
    "workspace.renamed": _renamed,
    "workspace.settings_changed": _settings,
    "task.queued": _task,
    "task.succeeded": _task,
    "task.failed": _task,
    "task.cancelled": _task,
    "task.lost": _task,
}
