"""Every process follows the log: to know which states are stale, and to tell who listens."""

from collections.abc import Callable, Collection, Mapping

from adapters.bootstrap import Hub
from adapters.postgres.stream import PARTITION, LogStream
from application.ports import Mark
from domain.model import Recorded

Listener = Callable[[Recorded], None]


async def follow_log(hub: Hub, *listeners: Listener) -> None:
    """From now on tell the cache and the listeners of each event; for ever."""
    stream = LogStream(hub.dsn, hub.store.mapper.recorded)

    async def from_now(_: Collection[int]) -> Mapping[int, Mark]:
        head = await hub.store.head()
        return {PARTITION: Mark(offset=head + 1, position=head)}

    async for page in stream.follow(from_now):
        for recorded in page.records:
            hub.cache.seen(recorded.stream_id, recorded.version)
            for listener in listeners:
                listener(recorded)
