"""A vault in memory: tokens stand for texts that it alone knows."""

from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

from application.ports import Erased
from domain.model import Event
from domain.secrets import Secret


class InMemoryVault:
    """ports.Vault. A token opens only on the stream that it was sealed for."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[UUID, UUID, str]] = {}
        self._erased: set[UUID] = set()

    async def seal(
        self, subject_id: UUID, stream_id: UUID, events: Sequence[Event]
    ) -> Sequence[Event]:
        def one(_: str, secret: Secret) -> Secret:
            if secret.is_sealed:
                return secret
            token = f"token {len(self._texts) + 1}"
            self._texts[token] = (subject_id, stream_id, secret.reveal())
            return Secret(token=token)

        return [event.with_secrets(one) for event in events]

    async def open(self, stream_id: UUID, secret: Secret) -> str:
        if secret.token is None:
            return secret.reveal()
        if secret.token not in self._texts:
            raise LookupError("This is no sealed text.")
        subject_id, sealed_for, text = self._texts[secret.token]
        if sealed_for != stream_id:
            raise LookupError("The sealed text was moved.")
        if subject_id in self._erased:
            raise Erased("The key of this secret was erased.")
        return text

    async def fingerprint(self, said: bytes) -> bytes:
        return blake2b(said, digest_size=32, key=b"in memory").digest()

    def erase(self, subject_id: UUID) -> None:
        """Forget a subject's key."""
        self._erased.add(subject_id)
