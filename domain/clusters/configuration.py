"""What a person declares of a cluster, and what differs between two such declarations."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from domain.model import Value
from domain.secrets import MASK, Secret


class RenderError(Value):
    """Why a section does not render, and where (from 1)."""

    section: str
    detail: str
    line: int | None = None
    column: int | None = None


class Configuration(Value):
    """What a person declares: a template's version and the values for its parameters."""

    template_id: UUID
    template_version_id: UUID
    values: dict[str, Any] = {}
    secret_values: dict[str, Secret] = {}


def differences(before: Configuration, after: Configuration) -> Iterator[tuple[str, Any]]:
    """Each field that differs with its pair, as the audit tells them; secrets are masked."""
    if before.template_version_id != after.template_version_id:
        pair = [str(before.template_version_id), str(after.template_version_id)]
        yield "cluster_template_version_id", pair
    old, new = _shown(before), _shown(after)
    keys = [k for k in (old | new) if old.get(k) != new.get(k)]
    keys += [
        k
        for k, secret in after.secret_values.items()
        if before.secret_values.get(k) not in (None, secret)
    ]
    if keys:
        yield (
            "values",
            [{k: old[k] for k in keys if k in old}, {k: new[k] for k in keys if k in new}],
        )


def _shown(configuration: Configuration) -> dict[str, Any]:
    return {**configuration.values, **dict.fromkeys(configuration.secret_values, MASK)}
