"""Keys: those that log in, those that hosts show, and the pair that a cluster is given."""

import asyncio
from collections.abc import Sequence

import asyncssh

from adapters.ssh.failures import Failed
from application.ports import KeyPair
from domain.installation import PrivateKey


class AsyncsshKeyPairs:
    """Makes Ed25519 pairs in OpenSSH's forms."""

    async def generate(self, comment: str) -> KeyPair:
        return await asyncio.to_thread(_generate, comment)


def _generate(comment: str) -> KeyPair:
    key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    return KeyPair(public=one_line(key), private=key.export_private_key().decode())


def one_line(key: asyncssh.SSHKey) -> str:
    """The public half as authorized_keys and known_hosts write it."""
    return key.export_public_key().decode().strip()


def described(key: asyncssh.SSHKey) -> str:
    """What a person compares: the fingerprint and the kind."""
    return f"{key.get_fingerprint()} ({key.get_algorithm()})"


def login_keys(own: str, given: Sequence[PrivateKey]) -> list[asyncssh.SSHKey]:
    """The keys to log in with: those that SSHConfig gives, or else the cluster's own.

    Raises Failed when one cannot be read.
    """
    if not given:
        return [_read(own, None, "The cluster's own SSH key")]
    return [
        _read(
            each.key.reveal(),
            each.passphrase.reveal() if each.passphrase else None,
            f"Private key {number} of SSHConfig",
        )
        for number, each in enumerate(given, 1)
    ]


def _read(text: str, passphrase: str | None, name: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text.strip() + "\n", passphrase)
    except asyncssh.KeyImportError as error:
        raise Failed(_unreadable(str(error), name, has_passphrase=bool(passphrase))) from None


def _unreadable(reason: str, name: str, *, has_passphrase: bool) -> str:
    if "Passphrase must be specified" in reason:
        return f"{name} has a passphrase, and SSHConfig does not give it."
    if has_passphrase and "decrypt" in reason.lower():
        return f"The passphrase does not open {name[0].lower()}{name[1:]}."
    return f"{name} cannot be read as a private key: {reason}."


def pinned_key(line: str, address: str) -> asyncssh.SSHKey:
    """A pinned host key. Raises Failed when what was pinned is no key."""
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError as error:
        raise Failed(f"What is pinned for {address} is not a host key: {error}.") from None
