"""Signed checkpoints of the log, in the form of C2SP's signed notes (tlog-checkpoint)."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNING_SUBJECT = UUID("4c8f1f4e-5a55-4b76-9d3b-0d6d3c7a9a10")
"""The subject whose data key is the seed of the signing key."""
NAME = "quarterdeck"
ED25519 = b"\x01"


class BadCheckpoint(Exception):
    """A checkpoint that cannot be read or that this log did not sign."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size of the log in events, and the root hash over them."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign(checkpoint: Checkpoint, seed: bytes) -> str:
    """The signed note, as a text to keep off the machine."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = _key_hash(key.public_key()) + key.sign(checkpoint.body.encode())
    return f"{checkpoint.body}\n— {NAME} {b64encode(signature).decode()}\n"


def read(note: str, seed: bytes) -> Checkpoint:
    """The checkpoint of a note. Raises BadCheckpoint unless our key signed it."""
    body, _, signatures = note.partition("\n\n")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    if not any(_is_ours(line, f"{body}\n", public) for line in signatures.splitlines()):
        raise BadCheckpoint("The checkpoint was not signed by this log, or was changed since.")
    try:
        origin, size, root = body.split("\n")[:3]
        return Checkpoint(origin, int(size), b64decode(root, validate=True))
    except ValueError:
        raise BadCheckpoint("This is no checkpoint.") from None


def public_key(seed: bytes) -> str:
    """The key that checks our signatures, in the note's verifier form."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    encoded = b64encode(ED25519 + _raw(public)).decode()
    return f"{NAME}+{_key_hash(public).hex()}+{encoded}"


def _is_ours(line: str, body: str, public: Ed25519PublicKey) -> bool:
    mark = f"— {NAME} "
    if not line.startswith(mark):
        return False
    try:
        signature = b64decode(line.removeprefix(mark), validate=True)
        public.verify(signature[4:], body.encode())
    except (ValueError, InvalidSignature):
        return False
    return signature[:4] == _key_hash(public)


def _key_hash(public: Ed25519PublicKey) -> bytes:
    return sha256(NAME.encode() + b"\n" + ED25519 + _raw(public)).digest()[:4]


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
