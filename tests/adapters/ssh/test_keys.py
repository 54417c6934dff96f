"""The pair that a cluster is given is Ed25519 in OpenSSH's forms, and any client takes it."""

import asyncssh

from adapters.ssh.keys import AsyncsshKeyPairs


async def test_a_pair_is_ed25519_and_its_halves_belong_together() -> None:
    pair = await AsyncsshKeyPairs().generate("cluster green")
    kind, body, comment = pair.public.split(" ", 2)
    assert (kind, comment) == ("ssh-ed25519", "cluster green")
    private = asyncssh.import_private_key(pair.private)
    assert private.export_public_key().decode().split()[1] == body


async def test_each_pair_is_another_and_does_not_show_its_private_half() -> None:
    pairs = AsyncsshKeyPairs()
    first, second = await pairs.generate("a"), await pairs.generate("a")
    assert first.private != second.private
    assert "PRIVATE" not in repr(first)
