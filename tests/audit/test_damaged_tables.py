"""
Every kind of damage that an owner of the database can do is detected, and located as far as stored hashes allow.

Logs of six sizes, made once; each damage is done with every fence switched off, in a transaction that is rolled back.
"""

from collections.abc import Callable

import psycopg
import pytest

from audit.format.checkpoint import Checkpoint, read_checkpoint
from audit.format.tree import CompactRange, full_root, leaf_hash
from audit.verify.verifier import Damage, VerificationVerdict
from tests.audit.corruptions import SIZES, CorruptedLog, Found, IntactLog, UncommittedReader
from tests.audit.sample import ORIGIN

FORGED = b'"forged"'
FLIP_BODY = "UPDATE audit.entry SET body = set_byte(body, 9, get_byte(body, 9) # 1) WHERE idx = {i}"
FLIP_LEAF = "UPDATE audit.entry SET leaf = set_byte(leaf, 9, get_byte(leaf, 9) # 1) WHERE idx = {i}"
FORGE = f"UPDATE audit.entry SET body = '{FORGED.decode()}', leaf = '\\x{leaf_hash(FORGED).hex()}' WHERE idx = {{i}}"
MISSING, ENTRY, RANGE, TILE, HEAD = Damage.MISSING, Damage.ENTRY, Damage.RANGE, Damage.TILE, Damage.HEAD

of_some = pytest.mark.parametrize("spoiled", SIZES[1:], indirect=True)
of_many = pytest.mark.parametrize("spoiled", SIZES[2:], indirect=True)
of_full_tiles = pytest.mark.parametrize("spoiled", [256, 257, 70_000], indirect=True)


def test_an_untouched_log_is_intact(spoiled: CorruptedLog) -> None:
    """Against an older checkpoint too."""
    assert spoiled.found(against=(spoiled.kept.half,)) == []


@of_some
def test_a_changed_body_is_found_at_its_index(spoiled: CorruptedLog) -> None:
    """A byte flipped, inserted or deleted."""
    for index in spoiled.places:
        for change in (
            FLIP_BODY,
            "UPDATE audit.entry SET body = body || ' ' WHERE idx = {i}",
            "UPDATE audit.entry SET body = substring(body FROM 2) WHERE idx = {i}",
        ):
            assert spoiled.found(change.format(i=index), against=(spoiled.kept.half,)) == [(ENTRY, index, index)]


@of_some
def test_a_changed_leaf_hash_is_found_at_its_index_and_the_entry_is_cleared(spoiled: CorruptedLog) -> None:
    """The entries alone lead to the signed root."""
    for index in spoiled.places:
        assert spoiled.found(FLIP_LEAF.format(i=index)) == [(TILE, index, index)]


@of_some
def test_an_entry_forged_together_with_its_hash_is_found_in_the_smallest_subtree_that_is_stored(
    spoiled: CorruptedLog,
) -> None:
    """Of 256 entries, or fewer at the edge."""
    for index in spoiled.places:
        assert spoiled.found(FORGE.format(i=index)) == spoiled.around(index)


@of_full_tiles
def test_an_entry_forged_with_its_hash_and_its_subtree_is_found_in_the_next_larger_subtree(
    spoiled: CorruptedLog,
) -> None:
    """The next level of tiles, or the head's own hashes."""
    for index in {0, spoiled.size // 256 * 256 - 1}:
        tile = index // 256
        leaves = spoiled.reader.rows("SELECT leaf FROM {schema}.entry WHERE idx / 256 = %s ORDER BY idx", (tile,))
        forged = [leaf_hash(FORGED) if tile * 256 + place == index else leaf for place, (leaf,) in enumerate(leaves)]
        node = full_root(b"".join(forged)).hex()
        subtree = f"UPDATE audit.subtree SET hash = '\\x{node}' WHERE level = 1 AND n = {tile}"
        assert spoiled.found(FORGE.format(i=index), subtree) == [(RANGE, *spoiled.peak(index))]


def unconfirmed(spoiled: CorruptedLog, *indexes: int) -> list[Found]:
    """What stands around missing entries; nothing, if their subtrees hold no others."""
    return [finding for finding in spoiled.around(*indexes) if finding[0] is RANGE]


@of_some
def test_a_deleted_row_is_named_with_the_entries_that_no_stored_hash_covers(spoiled: CorruptedLog) -> None:
    """Its leaf hash went with it."""
    for index in spoiled.places:
        findings = spoiled.found(f"DELETE FROM audit.entry WHERE idx = {index}", against=(spoiled.kept.half,))
        assert findings == [(MISSING, index, index), *unconfirmed(spoiled, index)]


SHIFT = "ALTER TABLE audit.entry DROP CONSTRAINT entry_pkey"


@of_some
def test_an_inserted_row_is_found_where_it_was_put_and_at_the_end(spoiled: CorruptedLog) -> None:
    """Everything after it was moved by one."""
    index = max(spoiled.size // 2, spoiled.size - 300)
    findings = spoiled.found(
        SHIFT,
        f"UPDATE audit.entry SET idx = idx + 1 WHERE idx >= {index}",
        f"INSERT INTO audit.entry (idx, at, xid, type, states, leaf, court, body) "
        f"SELECT {index}, at, gen_random_uuid(), type, states, '\\x{leaf_hash(FORGED).hex()}', court, "
        f"'{FORGED.decode()}' FROM audit.entry WHERE idx = {index + 1}",
    )
    assert findings == [*spoiled.around(*range(index, spoiled.size)), (ENTRY, spoiled.size, spoiled.size)]


@of_many
def test_a_row_removed_without_a_gap_is_found_at_its_index(spoiled: CorruptedLog) -> None:
    """Everything after it was moved by one, and the last place is empty."""
    index = max(spoiled.size // 2, spoiled.size - 300)
    findings = spoiled.found(
        SHIFT,
        f"DELETE FROM audit.entry WHERE idx = {index}",
        f"UPDATE audit.entry SET idx = idx - 1 WHERE idx > {index}",
    )
    last = spoiled.size - 1
    assert findings[0] == (MISSING, last, last)
    assert findings[1:] == [finding for finding in spoiled.around(*range(index, last)) if finding[:2] != (ENTRY, last)]


def swapped(columns: str, first: int, second: int) -> list[str]:
    names = ", ".join(f"{name} = h.{name}" for name in columns.split(", "))
    return [
        f"CREATE TABLE held AS SELECT idx, {columns} FROM audit.entry WHERE idx IN ({first}, {second})",
        f"UPDATE audit.entry e SET {names} FROM held h "
        f"WHERE e.idx + h.idx = {first + second} AND e.idx IN ({first}, {second})",
    ]


@of_many
def test_two_swapped_bodies_are_both_named(spoiled: CorruptedLog) -> None:
    """Each stands where the other belongs; near to each other and far apart."""
    for first, second in ((5, 6), (0, spoiled.size - 1)):
        assert spoiled.found(*swapped("body", first, second)) == [(ENTRY, first, first), (ENTRY, second, second)]


@of_many
def test_two_rows_swapped_whole_are_found_in_the_subtrees_where_they_stand(spoiled: CorruptedLog) -> None:
    """Their hashes were swapped with them."""
    for first, second in ((5, 6), (0, spoiled.size - 1)):
        assert spoiled.found(*swapped("body, leaf", first, second)) == spoiled.around(first, second)


@of_some
def test_a_tail_that_was_cut_off_under_the_head_is_named(spoiled: CorruptedLog) -> None:
    """One entry, and half of the spoiled."""
    for cut in {1, (spoiled.size + 1) // 2}:
        start, last = spoiled.size - cut, spoiled.size - 1
        findings = spoiled.found(f"DELETE FROM audit.entry WHERE idx >= {start}")
        assert findings == [(MISSING, start, last), *unconfirmed(spoiled, *range(start, spoiled.size))]


def grown(leaves: list[bytes]) -> CompactRange:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def back_to_half(spoiled: CorruptedLog) -> list[str]:
    """The whole log as it was when its first half was signed, so that nothing in it contradicts anything."""
    half = read_checkpoint(spoiled.kept.half).size
    rows = spoiled.reader.rows("SELECT leaf FROM {schema}.entry WHERE idx < %s ORDER BY idx", (half,))
    tree = grown([leaf for (leaf,) in rows])
    nodes = ", ".join(f"'\\x{node.hex()}'::bytea" for node in tree.nodes)
    return [
        f"DELETE FROM audit.entry WHERE idx >= {half}",
        f"DELETE FROM audit.sealed WHERE idx >= {half}",
        f"DELETE FROM audit.subtree WHERE (n + 1) * 256 ^ level > {half}",
        f"DELETE FROM audit.checkpoint WHERE size > {half}",
        f"UPDATE audit.head SET size = {half}, range = ARRAY[{nodes}]::bytea[], signed_size = {half}, "
        f"signed_note = '\\x{spoiled.kept.half.hex()}'",
    ]


@of_many
def test_a_rollback_to_a_signed_state_shows_only_against_a_newer_checkpoint(
    spoiled: CorruptedLog,
) -> None:
    """It was true once: without the newer checkpoint nothing can show it, and the report says what it did not check."""
    half = read_checkpoint(spoiled.kept.half).size
    alone = spoiled.report(*back_to_half(spoiled))
    assert (alone.verdict, alone.size, alone.findings) == (VerificationVerdict.INTACT, half, [])
    assert spoiled.found(*back_to_half(spoiled), against=(spoiled.kept.full,)) == [
        (Damage.SHORTENED, half, spoiled.size - 1)
    ]

    forgotten = f"INSERT INTO audit.checkpoint (size, note) VALUES ({spoiled.size}, '\\x{spoiled.kept.full.hex()}')"
    assert spoiled.found(*back_to_half(spoiled), forgotten) == [(Damage.SHORTENED, half, spoiled.size - 1)]


@of_many
def test_a_history_rewritten_with_the_key_shows_only_against_an_older_checkpoint(
    spoiled: CorruptedLog,
) -> None:
    """Everything follows from the forged entry and is truly signed."""
    leaves = [row[0] for row in spoiled.reader.rows("SELECT leaf FROM {schema}.entry ORDER BY idx")]
    leaves[7] = leaf_hash(FORGED)
    tree = grown(leaves)
    note = spoiled.kept.keys.signer.sign(Checkpoint(ORIGIN, spoiled.size, tree.root()).text()).encode()
    nodes = ", ".join(f"'\\x{node.hex()}'::bytea" for node in tree.nodes)
    statements = [
        FORGE.format(i=7),
        f"UPDATE audit.head SET range = ARRAY[{nodes}], signed_note = '\\x{note.hex()}'",
    ]
    for level in (1, 2):
        if spoiled.size >= 256**level:
            node = grown(leaves[: 256**level]).root().hex()
            statements.append(f"UPDATE audit.subtree SET hash = '\\x{node}' WHERE level = {level} AND n = 0")

    assert spoiled.found(*statements) == []
    half = read_checkpoint(spoiled.kept.half).size
    assert spoiled.found(*statements, against=(spoiled.kept.half,)) == [(Damage.REWRITTEN, 0, half - 1)]
    assert spoiled.found(*statements, against=(spoiled.kept.full,)) == [(Damage.REWRITTEN, 0, spoiled.size - 1)]
    # Without the signature, the forger is left with entries and hashes that no checkpoint speaks of.
    unsigned = [*statements, f"UPDATE audit.head SET signed_note = '\\x{spoiled.kept.full.hex()}'"]
    assert spoiled.found(*unsigned)[0] == (Damage.REPLACED, 0, spoiled.size - 1)


@of_full_tiles
def test_a_changed_or_deleted_subtree_hash_is_found_at_its_place(spoiled: CorruptedLog) -> None:
    """And the entries below it are cleared."""
    for level, n in ((1, 0), (1, spoiled.size // 256 - 1), (2, 0)):
        span = 256**level
        if (n + 1) * span > spoiled.size:
            continue
        for change in ("UPDATE audit.subtree SET hash = sha256(hash)", "DELETE FROM audit.subtree"):
            assert spoiled.found(f"{change} WHERE level = {level} AND n = {n}") == [
                (TILE, n * span, (n + 1) * span - 1)
            ]


@pytest.mark.parametrize("spoiled", [70_000], indirect=True)
def test_two_swapped_subtree_hashes_are_both_found(spoiled: CorruptedLog) -> None:
    """Within one tile of hashes."""
    swap = (
        "UPDATE audit.subtree s SET hash = o.hash FROM audit.subtree o "
        "WHERE s.level = 1 AND o.level = 1 AND s.n + o.n = 105 AND s.n IN (5, 100)"
    )
    assert spoiled.found(swap) == [(TILE, 5 * 256, 5 * 256 + 255), (TILE, 100 * 256, 100 * 256 + 255)]


@of_some
def test_an_altered_head_is_distinguished_from_altered_entries(spoiled: CorruptedLog) -> None:
    """Its hashes, its size up and down, and the size that it says was signed."""
    flip = "range[1:cardinality(range) - 1] || sha256(range[cardinality(range)])"
    assert spoiled.found(f"UPDATE audit.head SET range = {flip}") == [(HEAD, None, None)]
    assert spoiled.found("UPDATE audit.head SET size = size + 2") == [(MISSING, spoiled.size, spoiled.size + 1)]
    assert spoiled.found("UPDATE audit.head SET signed_size = 0") == [(HEAD, None, None)]
    assert spoiled.found("UPDATE audit.head SET size = 0, range = '{}'") == [(HEAD, None, None)]


def test_an_altered_head_of_an_empty_log_is_noticed(make_intact: Callable[[int], IntactLog]) -> None:
    """Entries that never were."""
    intact = make_intact(0)
    with psycopg.connect(intact.owner) as connection:
        reader = UncommittedReader(connection, intact)
        log = CorruptedLog(reader, intact)
        grown = "UPDATE audit.head SET size = 1, range = ARRAY[sha256('')]"
        assert log.found("SET session_replication_role = replica", grown) == [(MISSING, 0, 0)]
        reader.close()


def test_a_changed_checkpoint_is_not_believed(spoiled: CorruptedLog) -> None:
    """Any byte of the signed note, or none left: what is there cannot be judged, and is not said to be intact."""
    for change in (
        *(f"set_byte(signed_note, {at}, get_byte(signed_note, {at}) # 1)" for at in (3, 25, 40, 90, 120)),
        "substring(signed_note FOR 50)",
        "signed_note || '!'",
        "NULL",
    ):
        report = spoiled.report(f"UPDATE audit.head SET signed_note = {change}")
        assert report.verdict is VerificationVerdict.CANNOT_SAY, change


@of_some
def test_the_checkpoint_of_another_tree_of_the_same_log_is_contradicted(spoiled: CorruptedLog) -> None:
    """Signed by the true key, for other entries."""
    note = spoiled.kept.keys.signer.sign(Checkpoint(ORIGIN, spoiled.size, bytes(32)).text()).encode()
    findings = spoiled.found(f"UPDATE audit.head SET signed_note = '\\x{note.hex()}'")
    assert findings == [(Damage.REPLACED, 0, spoiled.size - 1)]
    # The half that an older checkpoint vouches for is not under suspicion.
    half = read_checkpoint(spoiled.kept.half).size
    findings = spoiled.found(f"UPDATE audit.head SET signed_note = '\\x{note.hex()}'", against=(spoiled.kept.half,))
    assert findings == [(Damage.REPLACED, half, spoiled.size - 1)]


@of_some
def test_two_contradicting_checkpoints_of_one_size_are_both_checked(spoiled: CorruptedLog) -> None:
    """Whichever comes first."""
    other = spoiled.kept.keys.signer.sign(Checkpoint(ORIGIN, spoiled.size, bytes(32)).text()).encode()
    for against in ((spoiled.kept.full, other), (other, spoiled.kept.full)):
        assert [damage for damage, _, _ in spoiled.found(against=against)] == [Damage.REWRITTEN]
