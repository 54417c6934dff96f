"""The log as a Merkle tree (RFC 6962): one root proves every event, and that history only grew."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from struct import Struct
from uuid import UUID

EMPTY_ROOT = sha256(b"").digest()
_HEAD = Struct("!16sQI").pack
_PLACE = Struct("!Qq").pack


def leaf_hash(content: bytes) -> bytes:
    """RFC 6962, 2.1: a leaf is hashed behind a zero byte."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1: a node is hashed behind a one byte."""
    return sha256(b"\x01" + left + right).digest()


def event_leaf(
    position: int,
    microseconds: int,
    stream_id: UUID,
    version: int,
    topic: str,
    metadata: bytes,
    state: bytes,
) -> bytes:
    """The leaf hash of a stored event; its time is in microseconds since 2000-01-01 UTC.

    The same as in log.leaf_hash: whoever compares does not ask the database what is right.
    """
    name = topic.encode()
    head = _HEAD(stream_id.bytes, version, len(name)) + name
    content = sha256(head + len(metadata).to_bytes(4) + metadata + state).digest()
    return leaf_hash(_PLACE(position, microseconds) + content)


class Tree:
    """A tree that grows by leaf hashes and keeps only the roots of its full subtrees."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash; log2(size) hashes at most."""
        node, level = leaf, self.size
        while level & 1:
            node = node_hash(self.peaks.pop(), node)
            level >>= 1
        self.peaks.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self.append(leaf)

    @property
    def root(self) -> bytes:
        """The root hash, 32 bytes; that of the empty tree is the hash of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


Subtree = Callable[[int, int], bytes]
"""The root of the leaves from `start` to `end` (RFC 6962's MTH(D[start:end]))."""


def split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def consistency_proof(first: int, size: int, subtree: Subtree) -> list[bytes]:
    """RFC 6962, 2.1.2: proof that the tree of `first` leaves is a beginning of that of `size`."""
    if not 0 < first <= size:
        raise ValueError("a proof is from a tree that is neither empty nor larger")
    return _subproof(first, 0, size, whole=True, subtree=subtree)


def _subproof(first: int, start: int, end: int, *, whole: bool, subtree: Subtree) -> list[bytes]:
    size = end - start
    if first == size:
        return [] if whole else [subtree(start, end)]
    k = split(size)
    if first <= k:
        proof = _subproof(first, start, start + k, whole=whole, subtree=subtree)
        return [*proof, subtree(start + k, end)]
    proof = _subproof(first - k, start + k, end, whole=False, subtree=subtree)
    return [*proof, subtree(start, start + k)]


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """RFC 6962, 2.1.1: the audit path of the leaf at `index` (from 0) in a tree of `size`."""
    if not 0 <= index < size:
        raise ValueError("there is no such leaf")
    return _path(index, 0, size, subtree)


def _path(index: int, start: int, end: int, subtree: Subtree) -> list[bytes]:
    if end - start == 1:
        return []
    k = split(end - start)
    if index < k:
        return [*_path(index, start, start + k, subtree), subtree(start + k, end)]
    return [*_path(index - k, start + k, end, subtree), subtree(start, start + k)]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2: whether the path leads from the leaf to the root."""
    if not 0 <= index < size:
        return False
    fn, sn, node = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(step, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def is_consistent(
    first: int, size: int, first_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """RFC 9162, 2.1.4.2: whether the proof shows that the log only grew from first to size."""
    if first == size:
        return first_root == root and not proof
    if not 0 < first < size or not proof:
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    fn, sn = first - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(step, old), node_hash(step, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == first_root and new == root
