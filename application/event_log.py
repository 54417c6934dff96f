"""Commands on the event log itself: going on without what it has lost."""

from application.commands import Command, Handlers
from application.permissions import Permission
from application.work import Work
from domain.event_log import EVENT_LOG, EventLog, Reason
from domain.values import Name

handlers = Handlers()


class AcceptEventLoss(Command, permission=Permission.ACCEPT_LOSS):
    """Record which events are lost, who had seen them, and by whose wish all go on without."""

    after: int | None
    seen: int
    readers: tuple[str, ...]
    reason: Reason
    ordered_by: Name


@handlers.register
async def accept_event_loss(command: AcceptEventLoss, work: Work) -> int:
    accepted = EventLog.accept_loss(
        command.after, command.seen, command.readers, command.reason, command.ordered_by
    )
    if await work.exists(EventLog, EVENT_LOG):
        return (await work.change(EventLog, EVENT_LOG, lambda _: accepted)).losses
    return (await work.create(EventLog, EVENT_LOG, accepted)).losses
