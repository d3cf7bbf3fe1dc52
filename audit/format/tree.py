"""
The Merkle tree of RFC 6962 over SHA-256: hashes, compact ranges, inclusion and consistency proofs.  Pure.

A *node* (level, n) is the root of the full subtree over the leaves n·2^level … (n+1)·2^level − 1; level 0 are the leaf
hashes.  A compact range is the stack of such roots, largest first, that together cover the first `size` leaves.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

_sha256 = hashlib.sha256

HASH_BYTES = 32
EMPTY_ROOT = _sha256(b"").digest()

Nodes = Callable[[int, int], bytes]
"""Gives the hash of node (level, n); only full subtrees are ever asked for."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf with these exact bytes."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def full_root(hashes: bytes) -> bytes:
    """The root over 2^k hashes of 32 bytes each, concatenated."""
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            [_sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 2 * HASH_BYTES)]
        )
    return hashes


class CompactRange:
    """
    The whole state that is needed to append: `size` and the roots of the perfect subtrees, largest first.

    Raises ValueError for a number of roots that does not fit the size.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)
        if size < 0 or len(self.nodes) != size.bit_count() or any(len(node) != HASH_BYTES for node in self.nodes):
            raise ValueError("compact range does not fit its size")

    def append(self, leaf: bytes) -> None:
        """Adds the hash of the next leaf."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self.nodes.pop(), leaf)
            carry >>= 1
        self.nodes.append(leaf)
        self.size += 1

    def append_full(self, level: int, root: bytes) -> None:
        """Adds a full subtree of 2^level leaves at once; the size must be a multiple of 2^level."""
        if self.size & ((1 << level) - 1):
            raise ValueError("a subtree can only be added on its own boundary")
        carry = self.size >> level
        while carry & 1:
            root = node_hash(self.nodes.pop(), root)
            carry >>= 1
        self.nodes.append(root)
        self.size += 1 << level

    def root(self) -> bytes:
        """The root hash of the tree of this size."""
        return fold(self.nodes)

    def copy(self) -> "CompactRange":
        """An independent range in the same state."""
        return CompactRange(self.size, self.nodes)


def fold(nodes: Sequence[bytes]) -> bytes:
    """The root over the roots of perfect subtrees, largest first."""
    if not nodes:
        return EMPTY_ROOT
    root = nodes[-1]
    for node in reversed(nodes[:-1]):
        root = node_hash(node, root)
    return root


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """
    The root that an inclusion proof leads to.  Raises ValueError if proof, index and size cannot belong together.
    """
    if not 0 <= index < size:
        raise ValueError("index is not below the size")
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise ValueError("proof has the wrong length")
    for level, sibling in enumerate(proof):
        left = level >= inner or index >> level & 1
        leaf = node_hash(sibling, leaf) if left else node_hash(leaf, sibling)
    return leaf


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that `leaf` is number `index` in the tree of this size and root."""
    try:
        return root_from_inclusion(index, size, leaf, proof) == root
    except ValueError:
        return False


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """
    Whether the proof shows that the tree of size `new` begins with that of size `old`.  An old size of 0 never does.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    shift = (old & -old).bit_length() - 1
    inner = ((old - 1) ^ (new - 1)).bit_length() - shift
    border = ((old - 1) >> (inner + shift)).bit_count()
    if old == 1 << shift:
        seed, steps = old_root, proof
    elif proof:
        seed, steps = proof[0], proof[1:]
    else:
        return False
    if len(steps) != inner + border:
        return False
    mask = (old - 1) >> shift
    reaches_old = reaches_new = seed
    for level, sibling in enumerate(steps):
        if level >= inner or mask >> level & 1:
            reaches_old = node_hash(sibling, reaches_old)
            reaches_new = node_hash(sibling, reaches_new)
        else:
            reaches_new = node_hash(reaches_new, sibling)
    return reaches_old == old_root and reaches_new == new_root


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The hashes from the leaf's sibling upward.  Raises ValueError unless `index` is below `size`."""
    if not 0 <= index < size:
        raise ValueError("index is not below the size")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            proof.append(range_root(middle, end, nodes))
            end = middle
        else:
            proof.append(range_root(start, middle, nodes))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """The hashes that show that the tree of size `new` begins with that of size `old`.  Raises ValueError."""
    if not 0 < old <= new:
        raise ValueError("old size must be positive and not above the new size")
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old < end:
        middle = start + _largest_power_below(end - start)
        if old <= middle:
            proof.append(range_root(middle, end, nodes))
            end = middle
        else:
            proof.append(range_root(start, middle, nodes))
            start, whole = middle, False
    if not whole:
        proof.append(range_root(start, end, nodes))
    return proof[::-1]


def range_root(start: int, end: int, nodes: Nodes) -> bytes:
    """The root over leaves start … end−1; `start` must be a multiple of the smallest power of two that covers them."""
    roots: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(nodes(level, start >> level))
        start += 1 << level
    return fold(roots)


def range_nodes(size: int, nodes: Nodes) -> CompactRange:
    """The compact range of the first `size` leaves."""
    roots: list[bytes] = []
    start = 0
    while start < size:
        level = (size - start).bit_length() - 1
        roots.append(nodes(level, start >> level))
        start += 1 << level
    return CompactRange(size, roots)


def _largest_power_below(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)
