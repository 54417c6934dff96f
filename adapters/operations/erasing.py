"""Erase the key of a subject: what was sealed for it can never be read again, by anybody."""

from adapters.bootstrap import CannotStart
from adapters.crypto.checkpoints import SIGNING_SUBJECT
from adapters.crypto.vault import FINGERPRINTS
from adapters.operations.administration import administration
from adapters.operations.replay import stream_named
from adapters.settings import Settings
from application.data_keys import EraseDataKey
from application.work import of_its_own_accord

OURS = {SIGNING_SUBJECT, FINGERPRINTS}
"""What signs the checkpoints of the log, and what tells a repeated command from another."""


async def erase_key(settings: Settings, subject: str, reason: str, ordered_by: str) -> str:
    """The subject's id. First the log tells of it, then the key is gone: repeat what broke off.

    Raises CannotStart when there is no such subject, or none whose key may be erased.
    """
    async with administration(settings) as hub:
        subject_id = await stream_named(hub, subject)
        if subject_id in OURS:
            raise CannotStart("This key is Quarterdeck's own: it is not erased.")
        if not await hub.data_keys.has(subject_id):
            raise CannotStart(f"Nothing is sealed for {subject}: it has no key.")
        command = EraseDataKey(subject_id=subject_id, reason=reason, ordered_by=ordered_by)
        await hub.bus.execute(command, of_its_own_accord())
        await hub.data_keys.erase(subject_id)
        return str(subject_id)
