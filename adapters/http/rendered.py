"""Rendered sections as people may see them: every secret of the cluster is masked in the text."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.http.edge import Edge
from domain.model import Recorded
from domain.secrets import MASK, Secret
from domain.values import DocumentRef

SHORT = 8
"""A shorter secret is masked only where it stands as a word; shorter lines of one are let be."""


async def rendered_texts(
    edge: Edge, cluster_id: UUID, sections: Mapping[str, Any]
) -> dict[str, str]:
    """The texts by section, from references as the read models keep them."""
    if not sections:
        return {}
    references = [DocumentRef.model_validate(reference) for reference in sections.values()]
    secrets = _secrets(await edge.log.load(cluster_id))
    vault = edge.bus.world.vault
    words = await asyncio.gather(*(vault.open(cluster_id, secret) for secret in secrets))
    texts = await asyncio.gather(*(edge.documents.read(reference) for reference in references))
    return {name: masked(text, words) for name, text in zip(sections, texts, strict=True)}


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text without the secrets, whichever way a template or YAML has written them."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        word = r"\b" if len(form) < SHORT and form.isalnum() else ""
        text = re.sub(f"{word}{re.escape(form)}{word}", MASK, text)
    return text


def _secrets(history: Sequence[Recorded]) -> list[Secret]:
    """Every secret that was ever in the cluster's events."""
    found: list[Secret] = []

    def collect(_: str, secret: Secret) -> Secret:
        found.append(secret)
        return secret

    for recorded in history:
        recorded.event.with_secrets(collect)
    return found


def _forms(secret: str) -> Iterator[str]:
    if not secret.strip():
        return
    for plain in {secret, secret.strip()}:
        yield plain
        yield plain.replace("'", "''")
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield base64.b64encode(plain.encode()).decode()
        yield base64.b64encode(f"{plain}\n".encode()).decode()
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= SHORT)
