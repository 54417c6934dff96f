"""A cluster of the README's template, declared over the program's own API."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.quarterdeck import Client, Quarterdeck

TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())


@dataclass(frozen=True, slots=True)
class Declared:
    """The workspace's token and API, what was asked for, and the cluster that came of it."""

    token: str
    api: Client
    body: dict[str, Any]
    cluster: dict[str, Any]


def declare(program: Quarterdeck, name: str) -> Declared:
    """A workspace, a template and a cluster in it; the workspace and the cluster have the name."""
    workspaces = program.client(program.token("--global"))
    workspaces.ok("POST", "workspaces", {"name": name, "slug": name})
    token = program.token("--workspace", name)
    api = program.client(token)
    template = api.ok("POST", "cluster_templates", TEMPLATE)
    body = {
        "name": name,
        "cluster_template_version_id": template["current_cluster_template_version_id"],
        "values": {"host": "192.0.2.1"},
    }
    return Declared(token, api, body, api.ok("POST", "clusters", body))
