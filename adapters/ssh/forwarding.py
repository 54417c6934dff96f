"""Why a bastion did not connect us to a host behind it: its own fault, or the host's."""

import asyncssh

from adapters.ssh.failures import BastionGone, HostGone

UNKNOWN_NAME = ("not known", "no such host", "name resolution", "no address associated")
"""Words of the resolvers of OpenSSH's, Go's and other servers."""
SAYS_NOTHING = ("", "open failed", "connect failed")
NO_FORWARDING = (asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE)


def not_forwarded(code: int, reason: str, address: str) -> HostGone:
    """The failure to open a channel to the address (RFC 4254, section 5.1), in words.

    A BastionGone is about the bastion; any other is what would be said without one.
    """
    said = f" ({reason})" if reason else ""
    if code in NO_FORWARDING:
        return BastionGone(
            f"does not forward connections to {address}{said}: allow it in the bastion's "
            "sshd_config (AllowTcpForwarding, PermitOpen, DisableForwarding, Match) and in the "
            "key's line of its authorized_keys (restrict, no-port-forwarding, permitopen)"
        )
    if code == asyncssh.OPEN_RESOURCE_SHORTAGE:
        return BastionGone(f"has no room for another connection{said}")
    words = reason.lower()
    if "connection refused" in words:
        return HostGone("refuses connections")
    if any(known in words for known in UNKNOWN_NAME):
        return HostGone("cannot be reached: its name is not known")
    if words in SAYS_NOTHING:
        return BastionGone(f"cannot connect to {address}{said}")
    return HostGone(f"cannot be reached: {reason}")
