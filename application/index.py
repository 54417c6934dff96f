"""The index of everything that can be done."""

from application import (
    auth_tokens,
    cluster_templates,
    clusters,
    data_keys,
    event_log,
    sign_in,
    tasks,
    workspaces,
)

HANDLERS = (
    workspaces.handlers,
    auth_tokens.handlers,
    sign_in.handlers,
    cluster_templates.handlers,
    clusters.handlers,
    tasks.handlers,
    data_keys.handlers,
    event_log.handlers,
)
