"""Places to install on: a real sshd whose owner is the cluster's key."""

from typing import Any

import asyncssh

from domain.values import host_and_port
from tests.adapters.contracts.installer_stories import Place
from tests.support.servers import SshHost

GROUP = "dhctl.deckhouse.io/v1"


def config_of(user: str, port: int, *hosts: str, **more: Any) -> list[dict[str, Any]]:
    """The documents of a connection, in dhctl's form."""
    config = {"apiVersion": GROUP, "kind": "SSHConfig", "sshUser": user, "sshPort": port, **more}
    return [config, *({"apiVersion": GROUP, "kind": "SSHHost", "host": host} for host in hosts)]


def place_on(host: SshHost, **more: Any) -> Place:
    """The host with a new key that it lets in, and with its own key pinned."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    host.authorize(key.export_public_key().decode())
    return Place(
        home=host.home,
        connection=config_of(host.user, host.port, host.address, **more),
        private_key=key.export_private_key().decode(),
        known_hosts={host_and_port(host.address, host.port): host.host_key},
    )
