"""
Tiles and entry bundles: paths and widths as the specification gives them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.format import tree
from audit.format.checkpoint import Checkpoint
from audit.format.note import NoteError, Signer
from audit.format.proof import Proof, ProofError, check_proof
from audit.format.tiles import ENTRIES, Tile, bundles, decode_bundle, encode_bundle, exists, hash_tiles, nodes_of
from tests.audit import oracle

LOG = Signer("shuniu.example/audit/1", bytes(range(32)))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        # golang.org/x/mod/sumdb/tlog (BSD-3-Clause), without the height that its paths begin with.
        (Tile(0, 3_057_500), "tile/0/x003/x057/500"),
        (Tile(1, 999, 3), "tile/1/999.p/3"),
        (Tile(2, 1000), "tile/2/x001/000"),
        (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    """Groups of three digits, all but the last behind an x; partial tiles name their width."""
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/data/000",
        "tile/0/000/",
        "../tile/0/000",
        "tile/0/٠٠٠",
    ],
)
def test_no_other_spelling_of_a_path_is_right(path: str) -> None:
    """Each resource has one name."""
    with pytest.raises(ValueError, match="path"):
        Tile.parse(path)


def test_the_tiles_of_known_sizes_are_those_of_the_specification() -> None:
    """Nothing for 0; one full and one partial tile for 256; the specification's example of 70,000."""
    assert (list(hash_tiles(0)), list(bundles(0))) == ([], [])
    assert list(hash_tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    large = list(hash_tiles(70_000))
    assert sum(1 for tile in large if tile.level == 0 and tile.width == 256) == 273
    assert [tile for tile in large if tile.width < 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert sum(tile.width for tile in bundles(70_000)) == 70_000


@given(st.integers(0, 70_000))
def test_exactly_the_tiles_of_a_size_exist(size: int) -> None:
    """Neither a wider nor an emptier one."""
    tiles = [*hash_tiles(size), *bundles(size)]
    assert all(exists(tile, size) for tile in tiles)
    last = size % 256
    assert exists(Tile(0, size // 256, last or 1), size) is bool(last)
    assert not exists(Tile(0, size // 256, min(last + 1, 256)), size)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_decoded_bundle_has_the_encoded_entries(entries: list[bytes]) -> None:
    """And nothing but them."""
    encoded = encode_bundle(entries)
    assert decode_bundle(encoded, len(entries)) == entries
    for wrong in (encoded + b"\0", encoded + b"\0\0"):
        with pytest.raises(ValueError, match="entry bundle"):
            decode_bundle(wrong, len(entries))
    if entries:
        with pytest.raises(ValueError, match="entry bundle"):
            decode_bundle(encoded[:-1], len(entries))


def tiles_of(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """All tiles of a tree, made level by level."""
    tiles = {}
    hashes = [oracle.leaf(leaf) for leaf in leaves]
    level = 0
    while hashes:
        for n in range(-(-len(hashes) // 256)):
            tiles[level, n] = b"".join(hashes[n * 256 : (n + 1) * 256])
        hashes = [tree.full_root(tiles[level, n]) for n in range(len(hashes) // 256)]
        level += 1
    return tiles


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1000, 66_000])
def test_proofs_can_be_made_from_tiles_alone(size: int) -> None:
    """Inclusion at the edges of tiles and consistency between sizes around them."""
    leaves = [n.to_bytes(3) for n in range(size)]
    tiles = tiles_of(leaves)
    nodes = nodes_of(lambda level, n: tiles[level, n])
    roots = {n: tree.range_nodes(n, nodes).root() for n in {1, size, min(size, 256), max(1, size - 1)}}
    if size <= 1000:
        assert roots[size] == oracle.root(leaves)

    for index in {0, size // 2, size - 1}:
        proof = tree.inclusion_proof(index, size, nodes)
        assert tree.verify_inclusion(index, size, oracle.leaf(leaves[index]), proof, roots[size])
    for old, old_root in roots.items():
        assert tree.verify_consistency(old, size, old_root, roots[size], tree.consistency_proof(old, size, nodes))


def test_a_tile_that_is_too_narrow_gives_no_node() -> None:
    """Rather than a wrong one."""
    with pytest.raises(ValueError, match="narrow"):
        nodes_of(lambda _level, _n: bytes(32))(1, 0)


def proof_of(leaves: list[bytes], index: int) -> Proof:
    tiles = tiles_of(leaves)
    hashes = tree.inclusion_proof(index, len(leaves), nodes_of(lambda level, n: tiles[level, n]))
    note = LOG.sign(Checkpoint(LOG.vkey.name, len(leaves), oracle.root(leaves)).text())
    return Proof(index, tuple(hashes), note.encode())


def test_a_proof_file_shows_that_an_entry_is_in_the_log() -> None:
    """Format of tlog-proof: header, index, path, empty line, checkpoint word for word."""
    leaves = [b"a", b"b", b"c"]
    proof = proof_of(leaves, 1)
    encoded = proof.encode()

    assert encoded.startswith(b"c2sp.org/tlog-proof@v1\nindex 1\n")
    assert Proof.parse(encoded) == proof
    assert check_proof(Proof.parse(encoded), b"b", LOG.vkey.name, [LOG.vkey]).size == 3
    with pytest.raises(ProofError):
        check_proof(proof, b"c", LOG.vkey.name, [LOG.vkey])
    with pytest.raises(NoteError):
        check_proof(proof, b"b", "other.example", [LOG.vkey])


def test_an_extra_line_of_a_proof_is_not_trusted_and_does_not_disturb() -> None:
    """It is not authenticated."""
    proof = proof_of([b"a"], 0)
    encoded = proof.encode().replace(b"index 0", b"extra aGk=\nindex 0")
    assert Proof.parse(encoded) == proof


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"c2sp.org/tlog-proof@v1\n\nx",
        b"c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\n\n",
        b"c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\n" + b"A" * 43 + b"=\n" * 65 + b"\n\nx",
    ],
)
def test_a_malformed_proof_is_refused(encoded: bytes) -> None:
    """No guess at what it might have meant."""
    with pytest.raises(ProofError):
        Proof.parse(encoded)
