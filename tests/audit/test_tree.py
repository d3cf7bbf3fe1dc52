"""
The tree is the one of RFC 6962: fixed vectors of Certificate Transparency, and the RFC's own recursion as the oracle.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.format import tree
from audit.format.tiles import nodes_of
from tests.audit import oracle

# Certificate Transparency's reference tree: these leaves, and the root after each (github.com/transparency-dev/merkle,
# Apache-2.0).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# Proofs within the same tree: index or old size, size, hashes.  Those of 5 in 8 and 6 to 8 are testdata/inclusion/2 and
# testdata/consistency/2 of github.com/transparency-dev/merkle (Apache-2.0), at bcba819e.
INCLUSIONS = [
    (
        *(5, 8),
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
]
CONSISTENCIES = [
    (
        *(6, 8),
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (
        *(2, 5),
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
]

entries = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def nodes(leaves: list[bytes]) -> tree.Nodes:
    hashes = [tree.leaf_hash(entry) for entry in leaves]

    def read(level: int, n: int) -> bytes:
        assert (level, n) == (0, 0)
        return b"".join(hashes)

    return nodes_of(read)


def test_the_empty_tree_has_the_root_that_the_specification_names() -> None:
    """H(""), in base64 as the specification prints it."""
    assert tree.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.CompactRange().root() == tree.EMPTY_ROOT


def test_every_root_of_the_reference_tree_is_reproduced() -> None:
    """Certificate Transparency's own eight leaves and roots."""
    growing = tree.CompactRange()
    roots = []
    for entry in LEAVES:
        growing.append(tree.leaf_hash(entry))
        roots.append(growing.root().hex())

    assert roots == ROOTS


def test_known_proofs_are_made_and_verified() -> None:
    """Byte for byte as others print them."""
    for index, size, *hashes in INCLUSIONS:
        proof = tree.inclusion_proof(index, size, nodes(LEAVES[:size]))
        assert [node.hex() for node in proof] == hashes
        assert tree.verify_inclusion(index, size, tree.leaf_hash(LEAVES[index]), proof, bytes.fromhex(ROOTS[size - 1]))
    for old, size, *hashes in CONSISTENCIES:
        proof = tree.consistency_proof(old, size, nodes(LEAVES[:size]))
        assert [node.hex() for node in proof] == hashes
        roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[size - 1])
        assert tree.verify_consistency(old, size, *roots, proof)


def test_the_proofs_of_the_rfcs_own_example() -> None:
    """RFC 6962, section 2.1.3: seven leaves d0 to d6, and its figure's letters for the nodes over them."""
    leaves = [b"d%d" % n for n in range(7)]
    a, b, c, d, e, f, j = (oracle.leaf(entry) for entry in leaves)
    g, h, i = oracle.node(a, b), oracle.node(c, d), oracle.node(e, f)
    k, m = oracle.node(g, h), oracle.node(i, j)
    paths = {0: [b, h, m], 3: [c, g, m], 4: [f, j, k], 6: [i, k]}
    proofs = {3: [c, d, g, m], 4: [m], 6: [i, j, k]}

    assert {index: tree.inclusion_proof(index, 7, nodes(leaves)) for index in paths} == paths
    assert {old: tree.consistency_proof(old, 7, nodes(leaves)) for old in proofs} == proofs


@given(entries)
def test_a_compact_range_has_the_root_of_the_recursion(leaves: list[bytes]) -> None:
    """Whatever the leaves and however many."""
    growing = tree.CompactRange()
    for entry in leaves:
        growing.append(tree.leaf_hash(entry))

    assert growing.root() == oracle.root(leaves)
    assert tree.range_nodes(len(leaves), nodes(leaves)).nodes == growing.nodes


@given(entries, st.data())
def test_an_inclusion_proof_is_the_path_of_the_recursion_and_verifies(leaves: list[bytes], data: st.DataObject) -> None:
    """For every entry of every tree."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = tree.inclusion_proof(index, len(leaves), nodes(leaves))

    assert proof == oracle.path(index, leaves)
    assert tree.verify_inclusion(index, len(leaves), oracle.leaf(leaves[index]), proof, oracle.root(leaves))


@given(entries, st.data())
def test_a_consistency_proof_is_that_of_the_recursion_and_verifies(leaves: list[bytes], data: st.DataObject) -> None:
    """For every pair of sizes."""
    old = data.draw(st.integers(1, len(leaves)))
    proof = tree.consistency_proof(old, len(leaves), nodes(leaves))

    assert proof == oracle.consistency(old, leaves)
    assert tree.verify_consistency(old, len(leaves), oracle.root(leaves[:old]), oracle.root(leaves), proof)


@given(entries, st.data())
def test_a_changed_inclusion_proof_never_verifies(leaves: list[bytes], data: st.DataObject) -> None:
    """A flipped bit, a hash more or less, another index or size."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = oracle.path(index, leaves)
    right = (index, len(leaves), oracle.leaf(leaves[index]), proof, oracle.root(leaves))
    changed = data.draw(st.sampled_from(["leaf", "root", "longer", *(["hash", "shorter"] if proof else [])]))
    wrong = {
        "leaf": (*right[:2], bytes(32), *right[3:]),
        "root": (*right[:4], bytes(32)),
        "longer": (*right[:3], [*proof, bytes(32)], right[4]),
        "hash": (*right[:3], [bytes(32), *proof[1:]], right[4]),
        "shorter": (*right[:3], proof[:-1], right[4]),
    }[changed]

    assert tree.verify_inclusion(*right)
    assert not tree.verify_inclusion(*wrong)
    assert not tree.verify_inclusion(len(leaves), len(leaves), *right[2:])


@given(entries, st.data())
def test_a_changed_consistency_proof_never_verifies(leaves: list[bytes], data: st.DataObject) -> None:
    """A tree that does not begin with the old one has no proof."""
    old = data.draw(st.integers(1, len(leaves)))
    proof = oracle.consistency(old, leaves)
    old_root, new_root = oracle.root(leaves[:old]), oracle.root(leaves)

    assert not tree.verify_consistency(old, len(leaves), bytes(32), new_root, proof)
    assert not tree.verify_consistency(old, len(leaves), old_root, bytes(32), proof)
    assert not tree.verify_consistency(old, len(leaves), old_root, new_root, [*proof, bytes(32)])
    if proof:
        assert not tree.verify_consistency(old, len(leaves), old_root, new_root, proof[:-1])
        assert not tree.verify_consistency(old, len(leaves), old_root, new_root, [bytes(32), *proof[1:]])


def test_nothing_is_consistent_with_an_empty_old_tree() -> None:
    """An old size of 0 is an error even for 0 to 0, and so is a shrinking log."""
    assert not tree.verify_consistency(0, 0, tree.EMPTY_ROOT, tree.EMPTY_ROOT, [])
    assert not tree.verify_consistency(0, 5, tree.EMPTY_ROOT, bytes(32), [])
    assert not tree.verify_consistency(5, 4, bytes(32), bytes(32), [])
    with pytest.raises(ValueError, match="old size"):
        tree.consistency_proof(0, 5, nodes(LEAVES))
    with pytest.raises(ValueError, match="index"):
        tree.inclusion_proof(8, 8, nodes(LEAVES))


@given(st.integers(1, 3000), st.integers(0, 8))
def test_full_subtrees_can_be_added_at_once(size: int, level: int) -> None:
    """The same tree whether by leaf or by subtree."""
    leaves = [n.to_bytes(2) for n in range(size)]
    hashes = [tree.leaf_hash(entry) for entry in leaves]
    width = 1 << level
    growing = tree.CompactRange()
    at = 0
    while at < size:
        if at % width == 0 and at + width <= size:
            growing.append_full(level, tree.full_root(b"".join(hashes[at : at + width])))
            at += width
        else:
            growing.append(hashes[at])
            at += 1
    by_leaf = tree.CompactRange()
    for node in hashes:
        by_leaf.append(node)

    assert (growing.size, growing.nodes) == (by_leaf.size, by_leaf.nodes)


def test_a_compact_range_refuses_roots_that_do_not_fit_its_size() -> None:
    """Neither too many, nor of the wrong length, nor a subtree in the wrong place."""
    for size, roots in ((3, [bytes(32)]), (1, [bytes(31)]), (-1, [])):
        with pytest.raises(ValueError, match="compact range"):
            tree.CompactRange(size, roots)
    with pytest.raises(ValueError, match="boundary"):
        tree.CompactRange(1, [bytes(32)]).append_full(8, bytes(32))
