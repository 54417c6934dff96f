"""A Kafka broker is a real one of one node that a test may stop, kill and start again."""

import base64
import shutil
import subprocess
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

from tests.support.servers.missing import MissingServer
from tests.support.servers.processes import free_port
from tests.support.servers.server import Server, running
from tests.support.servers.testbed import made

UP_SECONDS = 90.0
STARTED = b"Kafka Server started"

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENTS://127.0.0.1:{port}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs={folder}/log
num.partitions=3
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=1500
"""

JAVA = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
)


class KafkaBroker(Server):
    """One broker with its files in `folder`; no topic is made by itself."""

    def __init__(self, folder: Path) -> None:
        self.made = made("kafka")
        super().__init__("kafka", folder)
        self._configure()

    @property
    def address(self) -> str:
        """`host:port`, as a client's bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; returns when the broker serves."""
        before = self.log.stat().st_size if self.log.exists() else 0
        command = self._java("kafka.Kafka", self._properties)
        self._launch(command, lambda: self._says_started(before), UP_SECONDS)

    @property
    def _properties(self) -> str:
        return str(self.folder / "server.properties")

    def _says_started(self, offset: int) -> bool:
        with self.log.open("rb") as log:
            log.seek(offset)
            return STARTED in log.read()

    def _configure(self) -> None:
        text = CONFIGURATION.format(port=self.port, controller_port=free_port(), folder=self.folder)
        Path(self._properties).write_text(text)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # One in 64 begins with a hyphen: as a word of its own it would be taken for an option.
        format_storage = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c")
        command = self._java(*format_storage, self._properties)
        subprocess.run(command, check=True, capture_output=True)

    def _java(self, *arguments: str) -> list[str]:
        java = shutil.which("java")
        if java is None:
            raise MissingServer("No Java here: install a Java runtime, version 17 or later.")
        return [java, *JAVA, "-cp", f"{self.made}/libs/*", *arguments]


def kafka(folder: Path) -> AbstractContextManager[KafkaBroker]:
    """A running broker, gone afterwards."""
    return running(KafkaBroker(folder))
