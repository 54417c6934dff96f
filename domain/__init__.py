"""What is true: the facts of the fleet, the decisions that make them, and nothing that waits.

The aggregates are imported here, so that whoever reads the log knows every topic.
"""

from domain import (
    auth_tokens,
    cluster_settings,
    cluster_templates,
    clusters,
    data_keys,
    event_log,
    tasks,
    users,
    workspaces,
)

__all__ = [
    "auth_tokens",
    "cluster_settings",
    "cluster_templates",
    "clusters",
    "data_keys",
    "event_log",
    "tasks",
    "users",
    "workspaces",
]
