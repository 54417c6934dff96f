"""Commands on data keys: the end of everything that was sealed for a subject."""

from uuid import UUID

from application.commands import Command, Handlers
from application.permissions import Permission
from application.work import Work
from application.workspaces import enter
from domain.clusters import Cluster
from domain.data_keys import DataKey, Reason, data_key_id
from domain.values import Name

handlers = Handlers()


class EraseDataKey(Command, permission=Permission.ERASE_KEYS):
    """Record that a subject's key is erased, by whose wish and why; whoever holds it destroys it
    afterwards."""

    subject_id: UUID
    reason: Reason
    ordered_by: Name


@handlers.register
async def erase_data_key(command: EraseDataKey, work: Work) -> UUID:
    if await work.exists(Cluster, command.subject_id):
        cluster = await work.get(Cluster, command.subject_id)
        await enter(work, cluster.workspace_id)
    key_id = data_key_id(command.subject_id)
    erased = DataKey.erase(command.subject_id, command.reason, command.ordered_by)
    if await work.exists(DataKey, key_id):
        await work.change(DataKey, key_id, lambda _: erased)
    else:
        await work.create(DataKey, key_id, erased)
    return key_id
