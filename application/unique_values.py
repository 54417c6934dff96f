"""Values of parameters marked unique: at most one living cluster of a template has each."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from application.work import Work
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster, Configuration
from domain.input_parameters import unique_keys
from domain.model import Taken

MOST_SHOWN = 60
Params = Sequence[Mapping[str, Any]]


def unique_values(configuration: Configuration, params: Params) -> dict[str, str]:
    """What a cluster so configured holds: each claimed key with the parameter it is for."""
    values = configuration.values
    return {
        _claim(configuration.template_id, key, values[key]): key
        for key in unique_keys(params)
        if key in values
    }


async def claim_unique_values(
    work: Work, cluster_id: UUID, configuration: Configuration, before: Configuration | None
) -> None:
    """Hold what the cluster's new values must be alone with, and give back what it held before.

    Raises Taken, with the field and the cluster that has its value.
    """
    held = await _held(work, before) if before else {}
    wanted = await _held(work, configuration)
    for claim in held.keys() - wanted.keys():
        work.release(claim)
    for claim, key in wanted.items():
        if claim not in held:
            await _must_be_free(work, claim, key, configuration.values[key])
            work.claim(claim, cluster_id)


async def release_unique_values(work: Work, configuration: Configuration) -> None:
    for claim in await _held(work, configuration):
        work.release(claim)


async def _held(work: Work, configuration: Configuration) -> dict[str, str]:
    template = await work.get(ClusterTemplate, configuration.template_id)
    version = template.version(configuration.template_version_id)
    return unique_values(configuration, version.params)


async def _must_be_free(work: Work, claim: str, key: str, value: object) -> None:
    """The append makes sure of it; asked before, the refusal can say which field it is."""
    holder = await work.world.store.holder(claim)
    if holder is not None:
        name = (await work.get(Cluster, holder)).name
        raise Taken(
            f"{key} must be unique, and cluster {name} has the value {_shown(value)}.",
            pointer=f"/values/{key}",
        )


def _claim(template_id: UUID, key: str, value: object) -> str:
    """Long values would not fit into the index of claims: the key holds their digest."""
    return f"cluster_value:{template_id}:{key}={sha256(_text(value).encode()).hexdigest()}"


def _shown(value: object) -> str:
    text = _text(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _text(value: object) -> str:
    """One text for equal values: 3 and 3.0 are the same number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
