"""Servers are the real ones that tests run against, each on loopback with a folder of its own."""

from tests.support.servers.browser import FLAGS as CHROMIUM_FLAGS
from tests.support.servers.browser import chromium
from tests.support.servers.kafka import KafkaBroker, kafka
from tests.support.servers.loki import LokiServer, loki
from tests.support.servers.missing import MissingServer
from tests.support.servers.postgres import postgres
from tests.support.servers.ssh import SshHost, sshd

__all__ = [
    "CHROMIUM_FLAGS",
    "KafkaBroker",
    "LokiServer",
    "MissingServer",
    "SshHost",
    "chromium",
    "kafka",
    "loki",
    "postgres",
    "sshd",
]
