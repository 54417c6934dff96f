"""What must not stand in the task logs of a cluster: every secret that was ever declared for it."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from application.operation_requests import Tools
from application.ports import Erased, Finished
from application.secret_masking import SecretMasker
from domain.clusters import ClusterStateSaved
from domain.installation import Connection, plan_of
from domain.model import Invalid, Recorded
from domain.secrets import Secret, map_secrets

MAX_CHARACTERS = 4 << 20
"""Of the secrets of one cluster, counted from the newest on; a declaration has at most 1 MiB."""


async def masker_of(
    tools: Tools, cluster_id: UUID, documents: Mapping[str, Sequence[Any]]
) -> SecretMasker:
    """Knows the cluster's SSH key, its password parameters, former ones too, and what SSHConfig
    holds. What scripts left in $QUARTERDECK_STATE is not masked: most of it is no secret.
    """
    world = tools.bus.world
    secrets = list(_of_configuration(documents))
    for sealed in _newest_first(await world.store.load(cluster_id)):
        try:
            secrets.append(await world.vault.open(cluster_id, sealed))
        except Erased:
            continue
    return await asyncio.to_thread(SecretMasker, list(_within(MAX_CHARACTERS, secrets)))


def masked_end(finished: Finished, masker: SecretMasker) -> Finished:
    """How an operation ended, in sentences that may quote what a script printed."""
    return replace(
        finished,
        error=finished.error and masker.masked(finished.error),
        drift=finished.drift and masker.masked(finished.drift),
    )


def _newest_first(history: Sequence[Recorded]) -> list[Secret]:
    found: dict[Secret, None] = {}
    for recorded in reversed(history):
        if not isinstance(recorded.event, ClusterStateSaved):
            recorded.event.with_secrets(lambda _, secret: _noted(secret, found))
    return list(found)


def _of_configuration(documents: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Keys, passphrases and sudo's password, which a template may hold in the clear."""
    try:
        connection: Connection = plan_of(documents).connection
    except Invalid:
        return
    found: dict[Secret, None] = {}
    map_secrets(connection, lambda _, secret: _noted(secret, found))
    yield from (secret.reveal() for secret in found)


def _noted(secret: Secret, found: dict[Secret, None]) -> Secret:
    found[secret] = None
    return secret


def _within(characters: int, secrets: Iterable[str]) -> Iterator[str]:
    for secret in dict.fromkeys(secrets):
        characters -= len(secret)
        if characters < 0:
            return
        yield secret
