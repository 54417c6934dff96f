"""Rendered sections as people may see them: every secret of the cluster is masked in the text."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.http.edge import Edge
from application.ports import Erased
from domain.model import Recorded
from domain.redaction import Redactor
from domain.secrets import Secret
from domain.values import DocumentRef

ERASED = "# erased\n"
"""Stands for a text whose key was erased: nobody can read it any more."""
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
    opened = await asyncio.gather(*(_unless_erased(vault.open(cluster_id, s)) for s in secrets))
    texts = await asyncio.gather(*(_unless_erased(edge.documents.read(r)) for r in references))
    words = [word for word in opened if word is not None]
    return dict(zip(sections, await _redacted(edge, cluster_id, texts, words), strict=True))


async def _redacted(
    edge: Edge, cluster_id: UUID, texts: Sequence[str | None], secrets: Sequence[str]
) -> list[str]:
    """The texts without the secrets. Many of both take long, and nobody else waits for it."""
    redactor = Redactor(word_below=SHORT)
    await edge.long_work.done(cluster_id, _learnt(redactor, secrets))
    return [
        ERASED
        if text is None
        else "".join(await edge.long_work.done(cluster_id, redactor.pieces(text)))
        for text in texts
    ]


async def _unless_erased(reading: Awaitable[str]) -> str | None:
    """What is read; None when its key was erased."""
    try:
        return await reading
    except Erased:
        return None


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text without the secrets, whichever way a template or YAML has written them."""
    redactor = Redactor(word_below=SHORT)
    for _ in _learnt(redactor, secrets):
        pass
    return redactor.redacted(text)


def _learnt(redactor: Redactor, secrets: Iterable[str]) -> Iterator[None]:
    """Have the redactor look for every form of the secrets; a step for each form."""
    for secret in secrets:
        for form in _forms(secret):
            redactor.add(form)
            yield


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
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= SHORT)
