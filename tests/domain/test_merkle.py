"""The tree is that of RFC 6962: its published vectors, and proofs that cannot be forged."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from domain.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    split,
)

# The inputs and roots of Certificate Transparency's reference tests (merkle_tree_test).
VECTORS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOT_OF_EIGHT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
ROOT_OF_ONE = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_the_root_of_the_published_leaves_is_the_published_root():
    tree = Tree()
    for vector in VECTORS:
        tree.append(leaf_hash(bytes.fromhex(vector)))
        if tree.size == 1:
            assert tree.root.hex() == ROOT_OF_ONE
    assert tree.root.hex() == ROOT_OF_EIGHT


def test_the_empty_tree_is_the_hash_of_nothing():
    assert Tree().root == EMPTY_ROOT == sha256().digest()


def _leaves(size: int) -> list[bytes]:
    return [leaf_hash(bytes([n])) for n in range(size)]


def _subtree(leaves: list[bytes]):
    def root(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaves[start]
        k = split(end - start)
        return node_hash(root(start, start + k), root(start + k, end))

    return root


@given(st.integers(1, 60))
def test_the_growing_root_is_the_recursive_root(size: int):
    leaves, tree = _leaves(size), Tree()
    tree.extend(leaves)
    assert tree.root == _subtree(leaves)(0, size)


@given(st.data())
def test_a_leaf_is_proved_in_its_place_and_no_other(data: st.DataObject):
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = _leaves(size)
    root = _subtree(leaves)(0, size)
    proof = inclusion_proof(index, size, _subtree(leaves))
    assert includes(leaves[index], index, size, proof, root)
    for other in range(size):
        if other != index:
            assert not includes(leaves[other], index, size, proof, root)


@given(st.data())
def test_growth_is_proved_and_a_changed_past_is_not(data: st.DataObject):
    size = data.draw(st.integers(1, 40))
    first = data.draw(st.integers(1, size))
    leaves = _leaves(size)
    subtree = _subtree(leaves)
    proof = consistency_proof(first, size, subtree)
    assert is_consistent(first, size, subtree(0, first), subtree(0, size), proof)
    changed = list(leaves)
    changed[data.draw(st.integers(0, first - 1))] = leaf_hash(b"changed")
    assert not is_consistent(
        first,
        size,
        subtree(0, first),
        _subtree(changed)(0, size),
        consistency_proof(first, size, _subtree(changed)),
    )
