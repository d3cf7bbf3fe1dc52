"""
Every touched sealed value, search mark and column is found at its index, in logs of six sizes, by who holds the keys.
"""

import pytest

from audit.errors import LogBroken
from audit.verify.deep_verification import check_deep
from audit.verify.verifier import Damage
from tests.audit.corruptions import SIZES, CorruptedLog, Found

SEALED, INDEX, UNPAIRED = Damage.SEALED, Damage.INDEX, Damage.UNPAIRED

# What is done to the values of entry {i}, and what it is found as.
DAMAGES = [
    (
        SEALED,
        "UPDATE audit.sealed SET party_box = set_byte(party_box, 20, get_byte(party_box, 20) # 1) WHERE idx = {i}",
    ),
    (SEALED, "UPDATE audit.sealed SET party_box = party_box || '\\x00' WHERE idx = {i}"),
    (SEALED, "UPDATE audit.sealed SET party_box = substring(party_box FROM 2) WHERE idx = {i}"),
    (SEALED, "UPDATE audit.sealed SET party_box = NULL WHERE idx = {i}"),
    (SEALED, "DELETE FROM audit.sealed WHERE idx = {i}"),
    (SEALED, "UPDATE audit.sealed SET party_key = party_key + 1 WHERE idx = {i}"),
    (INDEX, "UPDATE audit.sealed SET party_mark = COALESCE(party_mark, 0) + 1 WHERE idx = {i}"),
    (INDEX, "UPDATE audit.sealed SET order_mark = 5 WHERE idx = {i}"),
    (INDEX, "INSERT INTO audit.sealed (idx, slot, party_mark) VALUES ({i}, 1, 5)"),
    (INDEX, "UPDATE audit.entry SET court = 'another' WHERE idx = {i} AND type = 1"),
    (INDEX, "UPDATE audit.entry SET at = at + interval '1 microsecond' WHERE idx = {i}"),
    (INDEX, "UPDATE audit.entry SET states = states # 4 WHERE idx = {i}"),
]


def findings_of(spoiled: CorruptedLog, *statements: str) -> list[Found]:
    connection = spoiled.reader.inside
    with connection.transaction(force_rollback=True):
        for statement in statements:
            connection.execute(statement)
        return [(finding.damage, finding.first, finding.last) for finding in check_deep(spoiled.reader).findings()]


@pytest.mark.parametrize("spoiled", SIZES[:-1], indirect=True)
def test_an_untouched_log_has_every_value_and_every_mark(spoiled: CorruptedLog) -> None:
    """Nothing to report."""
    assert findings_of(spoiled) == []


@pytest.mark.parametrize("spoiled", SIZES[1:-1], indirect=True)
@pytest.mark.parametrize(("damage", "statement"), DAMAGES)
def test_an_altered_value_mark_or_column_is_found_at_its_index(
    spoiled: CorruptedLog, damage: Damage, statement: str
) -> None:
    """In an intent, the first and the last that there is."""
    for index in {0, (spoiled.size - 1) // 2 * 2}:
        assert findings_of(spoiled, statement.format(i=index)) == [(damage, index, index)]


@pytest.mark.parametrize("spoiled", [70_000], indirect=True)
def test_many_damages_in_a_large_log_are_each_found_at_their_index(spoiled: CorruptedLog) -> None:
    """Each damage to another entry, across the whole log."""
    places = [2 * (n * 2900 + 50) for n in range(len(DAMAGES))]
    statements = [statement.format(i=index) for (_, statement), index in zip(DAMAGES, places, strict=True)]
    expected = [(damage, index, index) for (damage, _), index in zip(DAMAGES, places, strict=True)]

    assert findings_of(spoiled, *statements) == sorted(
        expected, key=lambda finding: (finding[0] is not SEALED, finding[1])
    )


@pytest.mark.parametrize("spoiled", [255, 256, 257], indirect=True)
def test_two_swapped_boxes_are_both_found(spoiled: CorruptedLog) -> None:
    """Each opens only in the place for which it was sealed."""
    swap = (
        "UPDATE audit.sealed s SET party_box = o.party_box, party_key = o.party_key FROM audit.sealed o "
        "WHERE s.idx + o.idx = 104 AND s.idx IN (4, 100)"
    )
    assert findings_of(spoiled, swap) == [(SEALED, 4, 4), (SEALED, 100, 100)]


@pytest.mark.parametrize("spoiled", [257], indirect=True)
def test_a_key_that_was_destroyed_without_a_record_of_it_is_no_erasure(spoiled: CorruptedLog) -> None:
    """Deleted, or marked as destroyed: the values that it sealed are missing."""
    key = "(SELECT party_key FROM audit.sealed WHERE idx = 100)"
    gone = "destroyed_at = now(), mark = NULL, wrapped = NULL"
    for statement in (
        f"DELETE FROM audit_keys.subject_key WHERE id = {key}",
        f"UPDATE audit_keys.subject_key SET {gone} WHERE id = {key}",
    ):
        assert findings_of(spoiled, statement) == [(SEALED, 100, 100), (SEALED, 101, 101)]


@pytest.mark.parametrize("spoiled", [257], indirect=True)
def test_an_altered_key_is_not_used(spoiled: CorruptedLog) -> None:
    """It does not unwrap, and nothing is opened with it."""
    flip = "UPDATE audit_keys.subject_key SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)"
    with pytest.raises(LogBroken):
        findings_of(spoiled, flip)


@pytest.mark.parametrize("spoiled", [257], indirect=True)
@pytest.mark.parametrize("body", ["[]", "nonsense", '{"whose":5}', '{"type":"lookup.intent","heard":[{}]}', "{}"])
def test_a_leaf_altered_beyond_reading_stops_nothing(spoiled: CorruptedLog, body: str) -> None:
    """The other records are checked all the same."""
    findings = findings_of(
        spoiled,
        f"UPDATE audit.entry SET body = '{body}' WHERE idx = 50",
        "UPDATE audit.sealed SET party_mark = 5 WHERE idx = 60",
    )
    assert {first for _, first, _ in findings} == {50, 60}


@pytest.mark.parametrize("spoiled", [257], indirect=True)
def test_a_record_filed_under_another_exchange_is_found(spoiled: CorruptedLog) -> None:
    """Its values open only under their own, and its outcome stands alone."""
    findings = findings_of(spoiled, "UPDATE audit.entry SET xid = gen_random_uuid() WHERE idx = 50")

    assert findings == [(SEALED, 50, 50), (UNPAIRED, 51, 51)]
