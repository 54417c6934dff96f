"""The log as Kafka has it: a group shares its partitions, and its members know where they are."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from adapters.kafka.cluster import (
    FAILURES,
    Cluster,
    Stuck,
    close_in_time,
    in_time,
    is_ours,
    pause_seconds,
)
from adapters.kafka.member import HistoryIsCut, Member
from adapters.kafka.messages import Decode
from application.ports import Marks, Page

__all__ = ["HistoryIsCut", "KafkaStream"]

logger = logging.getLogger(__name__)

PAGE_RECORDS = 2_000
STUCK_SECONDS = 15.0


class KafkaStream:
    """ports.Stream over a topic that a relay fills.

    The members of a group share its partitions. Nothing is committed to Kafka: on assignment each
    partition is read from its mark on. Raises HistoryIsCut.
    """

    def __init__(
        self,
        cluster: Cluster,
        group: str,
        decode: Decode,
        *,
        page: int = PAGE_RECORDS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._group = group
        self._decode = decode
        self._page = page
        self._stuck_seconds = stuck_seconds

    async def follow(self, marks: Marks) -> AsyncGenerator[Page, None]:
        """Pages without end (see ports.Stream), with a new consumer after each fault."""
        tries = 0
        while True:
            try:
                async with self._member(marks) as member:
                    while True:
                        for page in await member.pages():
                            tries = 0
                            if member.owns(page):
                                yield page
            except (*FAILURES, Stuck) as error:
                logger.warning("%s begins anew: %s: %s", self._group, type(error).__name__, error)
            except asyncio.CancelledError:
                if is_ours():
                    raise
                logger.warning("%s begins anew: a client has cancelled itself", self._group)
            await asyncio.sleep(pause_seconds(tries))
            tries += 1

    @asynccontextmanager
    async def _member(self, marks: Marks) -> AsyncIterator[Member]:
        consumer = AIOKafkaConsumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            heartbeat_interval_ms=1_000,
            # A topic that is made after the group was joined is not missed for long.
            metadata_max_age_ms=5_000,
            **self._cluster.client,
        )
        member = Member(consumer, marks, self._decode, self._page, self._stuck_seconds)
        consumer.subscribe([self._cluster.topic], listener=member)
        try:
            await in_time(self._stuck_seconds, consumer.start())
            yield member
        finally:
            await close_in_time(consumer.stop)
