"""Servers are the real ones that tests run against, each on loopback with a folder of its own."""

from tests.support.servers.browser import FLAGS as CHROMIUM_FLAGS
from tests.support.servers.browser import chromium
from tests.support.servers.kafka import KafkaBroker, kafka
from tests.support.servers.loki import LokiServer, loki
from tests.support.servers.lonely_network import (
    CannotMakeNetwork,
    LonelyNetwork,
    lonely_network,
)
from tests.support.servers.missing import MissingServer
from tests.support.servers.pgbouncer import PgBouncer, pgbouncer
from tests.support.servers.postgres import PostgresServer, postgres, postgres_under_test
from tests.support.servers.replicated_postgres import ReplicatedPostgres, replicated_postgres
from tests.support.servers.small_disk import CannotMount, SmallDisk, small_disk
from tests.support.servers.ssh import SshHost, sshd
from tests.support.servers.stock_postgres import StockPostgres, stock_postgres

__all__ = [
    "CHROMIUM_FLAGS",
    "CannotMakeNetwork",
    "CannotMount",
    "KafkaBroker",
    "LokiServer",
    "LonelyNetwork",
    "MissingServer",
    "PgBouncer",
    "PostgresServer",
    "ReplicatedPostgres",
    "SmallDisk",
    "SshHost",
    "StockPostgres",
    "chromium",
    "kafka",
    "loki",
    "lonely_network",
    "pgbouncer",
    "postgres",
    "postgres_under_test",
    "replicated_postgres",
    "small_disk",
    "sshd",
    "stock_postgres",
]
