"""Go on without events that were lost: told in the log first, then everything follows it again."""

from collections.abc import Sequence

from adapters.bootstrap import CannotStart
from adapters.kafka.cluster import FAILURES, Cluster, delete_topic, in_time
from adapters.operations.administration import administration
from adapters.postgres.lost_events import LostEvents
from adapters.processes.projector import PROJECTOR
from adapters.processes.relay import NAME as RELAY
from adapters.settings import Settings
from application.event_log import AcceptEventLoss
from application.work import of_its_own_accord

TOPIC_SECONDS = 45.0


async def accept_loss(settings: Settings, reason: str, ordered_by: str) -> Sequence[str]:
    """A sentence for each reader that goes on; repeat what broke off.

    The topic in Kafka holds what is lost, so it is deleted: the relay fills it again from the log.
    Raises CannotStart.
    """
    async with administration(settings) as hub:
        losses = LostEvents(hub.pool)
        found = await losses.open()
        if not found:
            return ["No reader has found that events were lost."]
        kept = [loss.kept for loss in found if loss.kept is not None]
        command = AcceptEventLoss(
            after=min(kept, default=None),
            seen=max(loss.seen for loss in found),
            readers=tuple(loss.reader for loss in found),
            reason=reason,
            ordered_by=ordered_by,
        )
        if {RELAY, PROJECTOR} & set(command.readers):
            await _delete_copy(settings)
        await hub.bus.execute(command, of_its_own_accord())
        await losses.accept()
        return [f"{loss.reader} goes on. {loss.lost}" for loss in found]


async def _delete_copy(settings: Settings) -> None:
    if settings.kafka is None:
        raise CannotStart(
            "What is lost stands in Kafka: set QUARTERDECK_KAFKA, so that the topic can be deleted"
            " and filled again from the log."
        )
    cluster = Cluster(settings.kafka)
    try:
        await in_time(TOPIC_SECONDS, delete_topic(cluster))
    except FAILURES as error:
        raise CannotStart(
            f"The topic {cluster.topic} cannot be deleted: {type(error).__name__}: {error}."
        ) from None
