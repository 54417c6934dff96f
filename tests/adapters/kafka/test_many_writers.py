"""Many hands write while a relay publishes: a tail of each stream misses nothing."""

import secrets

import pytest

from adapters.kafka.cluster import Cluster
from adapters.kafka.messages import Stored
from adapters.kafka.stream import KafkaStream
from adapters.postgres.stream import LogStream
from tests.adapters.kafka.conftest import Log, running
from tests.adapters.postgres.test_many_writers import watch_writers
from tests.support.tails import Tail
from tests.support.writing import Load

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def test_a_tail_of_each_stream_meets_every_event_in_order(log: Log, cluster: Cluster) -> None:
    async with running(log.relay(cluster).run()):
        await watch_writers(log.dsn, Load(events=2_000), tails_of_both(log.dsn, cluster))


def tails_of_both(dsn: str, cluster: Cluster) -> list[Tail]:
    """One of the log itself, one of the topic that a relay fills."""
    group = f"tails-{secrets.token_hex(4)}"
    return [Tail(LogStream(dsn, Stored)), Tail(KafkaStream(cluster, group, Stored))]
