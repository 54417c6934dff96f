"""Prove that the log is what was written, and that it only grew since a checkpoint."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from adapters.bootstrap import CannotStart
from adapters.crypto.checkpoints import (
    SIGNING_SUBJECT,
    BadCheckpoint,
    Checkpoint,
    public_key,
    read,
    sign,
)
from adapters.operations.administration import administration
from adapters.operations.replay import AGGREGATES
from adapters.postgres.beside import Beside, verify_beside
from adapters.postgres.verification import Verified, verify_log
from adapters.settings import Settings
from domain.merkle import Tree

ORIGIN = "quarterdeck/log"


class NotAsTold(CannotStart):
    """The log is as it was written, but what stands beside it is not what it says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was proved; `since` is the size at the older checkpoint, if there was one."""

    verified: Verified
    beside: Beside
    since: int | None = None
    written: Path | None = None
    key: str | None = None


async def verify(settings: Settings, checkpoint: Path | None, *, update: bool) -> Verdict:
    """Verify the log; with a checkpoint file, prove growth since it, or write it when it is new.

    What stands beside the log must be what the log says: every difference is named.
    Raises verification.Broken, checkpoints.BadCheckpoint, or NotAsTold.
    """
    async with administration(settings) as hub:
        seed = await hub.vault.data_key(SIGNING_SUBJECT)
        older = read(checkpoint.read_text(), seed) if checkpoint and checkpoint.exists() else None
        watch = _Watch(older)
        verified = await verify_log(hub.dsn, watch)
        watch.must_have_matched(verified)
        beside = await asyncio.to_thread(verify_beside, hub.dsn, list(AGGREGATES.values()))
        if beside.differences:
            raise NotAsTold("\n".join(beside.differences))
        if checkpoint is None or (older is not None and not update):
            return Verdict(verified, beside, since=older.size if older else None)
        checkpoint.write_text(sign(Checkpoint(ORIGIN, verified.size, verified.root), seed))
        since = older.size if older else None
        return Verdict(verified, beside, since, checkpoint, public_key(seed))


class _Watch:
    """Compares the root when the tree is as large as at the older checkpoint."""

    def __init__(self, older: Checkpoint | None) -> None:
        self._older = older
        self._matched = older is None or older.size == 0

    def __call__(self, tree: Tree) -> None:
        if self._older is not None and tree.size == self._older.size:
            self._matched = tree.root == self._older.root

    def must_have_matched(self, verified: Verified) -> None:
        if self._matched or self._older is None:
            return
        if verified.size < self._older.size:
            raise BadCheckpoint(
                f"The log has {verified.size} events; at the checkpoint it had {self._older.size}:"
                " events were lost."
            )
        raise BadCheckpoint(
            f"The first {self._older.size} events are not those of the checkpoint: history was"
            " rewritten, or events were lost and others have come in their place."
        )
