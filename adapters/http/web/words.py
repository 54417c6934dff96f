"""The words of the pages: one for each status, task and event, as the design language has them."""

from collections.abc import Mapping
from typing import Any

INFRASTRUCTURE: Mapping[str, str] = {
    "new": "New",
    "configuration_error": "Configuration error",
    "creating": "Creating",
    "creation_failed": "Creation failed",
    "in_sync": "In sync",
    "pending_changes": "Pending changes",
    "changing": "Changing",
    "synchronization_failure": "Change failed",
    "unknown": "Unknown",
    "delete": "Pending deletion",
    "deleting": "Deleting",
    "deletion_failed": "Deletion failed",
    "deleted": "Archived",
}
TASKS: Mapping[str, str] = {
    "queued": "Queued",
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "lost": "Lost",
    "lost_in_critical": "Lost in critical",
}
KINDS: Mapping[str, str] = {
    "install": "Install",
    "change": "Change",
    "check": "Check",
    "delete": "Delete",
}
ASKED: Mapping[str, str] = {
    "install": "asked to install it",
    "change": "asked to apply the changes",
    "check": "asked to check it",
    "delete": "asked to delete it",
}
APPLIED: Mapping[str, str] = {"install": "installed it", "change": "applied the changes"}
CHANGE_MODES: Mapping[str, str] = {"auto": "at once", "manual": "when a person applies them"}
INSTALLED: Mapping[str, str] = {"no": "when a person asks for it", "yes": "at once"}

URGENT = (
    "creation_failed",
    "synchronization_failure",
    "deletion_failed",
    "configuration_error",
    "unknown",
    "pending_changes",
)
"""Statuses that wait for a person, most urgent first."""
UNDER_WAY = ("creating", "changing", "delete", "deleting")
HUES: Mapping[str, str] = {
    **dict.fromkeys(
        ("creation_failed", "synchronization_failure", "deletion_failed", "configuration_error"),
        "t-fault",
    ),
    **dict.fromkeys(UNDER_WAY, "t-way"),
    "delete": "t-fault",
    "pending_changes": "t-wait",
    "in_sync": "t-steady",
}
"""The colour of a status's mark in a tally; the others are faint."""

TALLY: Mapping[str, str] = {
    "creation_failed": "creation failed",
    "synchronization_failure": "change failed",
    "deletion_failed": "deletion failed",
    "configuration_error": "configuration error",
    "unknown": "unknown",
    "pending_changes": "pending",
    "delete": "to delete",
    "deleting": "deleting",
    "changing": "changing",
    "creating": "creating",
    "new": "new",
    "in_sync": "in sync",
    "deleted": "archived",
}

PHRASES: Mapping[str, str] = {
    "workspace.created": "made the workspace",
    "workspace.renamed": "renamed the workspace",
    "workspace.settings_changed": "changed the settings of the workspace",
    "workspace.deleted": "deleted the workspace",
    "cluster.created": "declared the cluster",
    "cluster.renamed": "renamed the cluster",
    "cluster.registry_chosen": "chose where its releases come from",
    "cluster.configured": "changed",
    "cluster.rendered": "rendered the configuration",
    "cluster.render_failed": "could not render the configuration",
    "cluster.operation_requested": "asked for",
    "cluster.operation_started": "began",
    "cluster.host_key_pinned": "pinned the host key of",
    "cluster.host_key_forgotten": "forgot the host key of",
    "cluster.applied": "finished",
    "cluster.checked": "checked",
    "cluster.operation_failed": "failed:",
    "cluster.state_saved": "saved what the machines were left in",
    "cluster.deletion_wanted": "asked to delete it once the task is over",
    "cluster.archived": "archived the cluster",
    "cluster_settings.created": "set how changes are applied",
    "cluster_settings.changed": "changed how changes are applied",
    "cluster_template.created": "made the template",
    "cluster_template.changed": "changed the template",
    "cluster_template.version_added": "published a version",
    "cluster_template.version_withdrawn": "withdrew a version",
    "cluster_template.archived": "archived the template",
    "task.queued": "queued the task",
    "task.claimed": "took the task",
    "task.phase_started": "began the phase",
    "task.phase_ended": "ended the phase",
    "task.traces_lost": "lost the traces on the host and began anew the phase",
    "task.cancel_requested": "asked to cancel the task",
    "task.succeeded": "ended the task well",
    "task.failed": "ended the task with a failure",
    "task.cancelled": "cancelled the task",
    "task.lost": "lost the task",
    "auth_token.created": "made the token",
    "auth_token.revoked": "revoked the token",
    "data_key.erased": "erased the secrets",
    "log.loss_accepted": "went on without events that were lost",
    "user.registered": "registered the user",
    "sign_in_link.issued": "issued a sign-in link",
    "sign_in_link.used": "used a sign-in link",
    "session.started": "signed in",
    "session.ended": "signed out",
}
ICONS: Mapping[str, str] = {
    "created": "plus",
    "renamed": "edit",
    "registry_chosen": "edit",
    "configured": "edit",
    "changed": "edit",
    "settings_changed": "sliders",
    "rendered": "template",
    "render_failed": "warn",
    "operation_requested": "play",
    "operation_started": "play",
    "applied": "check",
    "checked": "check",
    "operation_failed": "close",
    "failed": "close",
    "succeeded": "check",
    "queued": "tasks",
    "claimed": "tasks",
    "phase_started": "play",
    "phase_ended": "check",
    "traces_lost": "warn",
    "deletion_wanted": "trash",
    "archived": "archive",
    "host_key_pinned": "key",
    "host_key_forgotten": "key",
    "version_added": "tag",
    "version_withdrawn": "minus",
    "cancelled": "stop",
    "cancel_requested": "stop",
    "lost": "warn",
    "loss_accepted": "warn",
    "revoked": "trash",
    "started": "user",
    "ended": "user",
}


def phrase(topic: str) -> str:
    """What someone did, to be read after their name; a topic without words of its own is spelt."""
    return PHRASES.get(topic) or topic.rpartition(".")[2].replace("_", " ")


def last_change(cluster: Mapping[str, Any]) -> str:
    """What happened to a cluster last, to be read after the name of who did it."""
    topic, detail = cluster["last_change"], cluster["last_change_detail"]
    if topic == "cluster.operation_requested":
        return asked(detail)
    if topic == "cluster.applied" and detail in APPLIED:
        return APPLIED[detail]
    return f"{phrase(topic)} {detail}" if detail else phrase(topic)


def asked(kind: str) -> str:
    """What someone asked for by a kind of task."""
    return ASKED.get(kind, f"asked for {kind}")


def icon_of(topic: str) -> str:
    return ICONS.get(topic.rpartition(".")[2], "dot")


def who(name: str | None) -> str:
    """The actor of a change; nobody is Quarterdeck itself."""
    return name or "Quarterdeck"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 cluster, 2,104 clusters."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Two letters for a person, such as MO for Mira Okafor."""
    parts = name.split() or ["?"]
    letters = parts[0][:1] + parts[-1][:1] if len(parts) > 1 else parts[0][:2]
    return letters.upper()


def shown(value: Any) -> str:
    """A value of a field as a person reads it."""
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(shown, value)) or "–"
        case dict():
            return ", ".join(f"{key} {shown(item)}" for key, item in value.items()) or "–"
    return str(value)


THROWAWAY_HOST = (
    "Quarterdeck serves a throw-away SSH host for the example, on this machine and for it alone."
    " Scripts on it run under an account of their own, without a network, with little memory and"
    " disk, and see no other file or process of this machine."
)
