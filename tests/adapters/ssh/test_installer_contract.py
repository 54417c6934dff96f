"""The installer over SSH keeps every promise on a real sshd and on the throw-away host alike."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from adapters.ssh.installer import SSHInstaller
from adapters.ssh.throwaway import ThrowawayHost
from tests.adapters.contracts.installer import InstallerContract
from tests.adapters.contracts.installer_stories import Place
from tests.adapters.ssh.places import config_of, place_on
from tests.adapters.ssh.sandboxes import home_of, root_of
from tests.support.servers import SshHost


class OverSSH(InstallerContract):
    @pytest.fixture
    def installer(self) -> SSHInstaller:
        return SSHInstaller()


@pytest.mark.slow
class TestOnARealSshd(OverSSH):
    @pytest.fixture
    def place(self, ssh_host: SshHost) -> Place:
        return place_on(ssh_host)


class TestOnTheThrowawayHost(OverSSH):
    @pytest.fixture
    async def place(self, tmp_path: Path) -> AsyncIterator[Place]:
        key = asyncssh.generate_private_key("ssh-ed25519")
        public = key.export_public_key().decode()

        async def authorized() -> list[str]:
            return [public]

        async with ThrowawayHost(tmp_path, authorized) as host:
            yield Place(
                home=home_of(host),
                processes=root_of(host) / "proc",
                connection=config_of("anybody", host.port, "127.0.0.1"),
                private_key=key.export_private_key().decode(),
                known_hosts={f"127.0.0.1:{host.port}": host.public_key},
            )
