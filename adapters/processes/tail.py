"""Every process follows the log: to know which states are stale, and to tell who listens."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from adapters.bootstrap import Hub
from adapters.postgres.stream import PARTITION, LogStream
from application.ports import EventsLost, Mark
from application.retrying import patiently
from domain.model import Recorded

Listener = Callable[[Recorded], None]
logger = logging.getLogger(__name__)


async def follow_log(hub: Hub, *listeners: Listener) -> None:
    """From now on tell the cache and the listeners of each event; for ever.

    What is written while the database cannot be reached is told as soon as it can. Where the log
    has lost events, nothing that was known of it counts any more.
    """
    while True:
        try:
            await _follow(hub, listeners)
        except EventsLost as lost:
            logger.warning("States are read anew from the log. %s", lost)
            hub.forget()


async def _follow(hub: Hub, listeners: Sequence[Listener]) -> None:
    stream = LogStream(hub.dsn, hub.store.mapper.recorded)
    position: int = await patiently(hub.store.head)

    async def from_there(_: Collection[int]) -> Mapping[int, Mark]:
        return {PARTITION: Mark(offset=position + 1, position=position)}

    async for page in stream.follow(from_there):
        for recorded in page.records:
            hub.cache.seen(recorded.stream_id, recorded.version)
            for listener in listeners:
                listener(recorded)
        position = page.upto
