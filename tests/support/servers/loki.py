"""A Loki is a real one in a single process that a test may stop and start again."""

import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

from tests.support.servers.processes import free_port
from tests.support.servers.server import Server, running
from tests.support.servers.testbed import made

UP_SECONDS = 60.0

CONFIGURATION = """\
target: all
auth_enabled: false
analytics:
  reporting_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {port}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc_port}
  log_level: warn
common:
  instance_addr: 127.0.0.1
  path_prefix: {folder}/loki
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory
  storage:
    filesystem:
      chunks_directory: {folder}/chunks
      rules_directory: {folder}/rules
schema_config:
  configs:
    - from: 2024-01-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index:
        prefix: index_
        period: 24h
limits_config:
  allow_structured_metadata: {takes_metadata}
  reject_old_samples: {rejects_old}
frontend:
  scheduler_dns_lookup_period: 200ms
frontend_worker:
  dns_lookup_duration: 200ms
ingester:
  lifecycler:
    min_ready_duration: 0s
"""


class LokiServer(Server):
    """One Loki with its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.made = made("loki")
        super().__init__("loki", folder)
        self._grpc_port = free_port()
        self.configure()

    def configure(self, *, rejects_old: bool = False, takes_metadata: bool = True) -> None:
        """Say, for the next start, whether it refuses what is older than a week, and positions."""
        text = CONFIGURATION.format(
            port=self.port,
            grpc_port=self._grpc_port,
            folder=self.folder,
            rejects_old=str(rejects_old).lower(),
            takes_metadata=str(takes_metadata).lower(),
        )
        (self.folder / "loki.yaml").write_text(text)

    @property
    def url(self) -> str:
        """The address below which `/loki/api/v1/push` lies."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; returns when Loki says it is ready."""
        command = [str(self.made / "loki"), f"-config.file={self.folder}/loki.yaml"]
        self._launch(command, self._is_ready, UP_SECONDS)

    def flush(self) -> None:
        """Write what is in memory, where queries look for what is older than hours."""
        asked = urllib.request.Request(f"{self.url}/flush", method="POST")
        with urllib.request.urlopen(asked, timeout=10):
            pass

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def loki(folder: Path) -> AbstractContextManager[LokiServer]:
    """A running Loki, gone afterwards."""
    return running(LokiServer(folder))
