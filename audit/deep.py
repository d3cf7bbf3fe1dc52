"""
The deep check: with the keys, from the first record to the last, that the search index leaves nothing out and adds
nothing, and that every sealed value is the one that its leaf commits to.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audit.event import EventType
from audit.leaf import read as read_leaf
from audit.opening import WrappedKey
from audit.reader import Reader
from audit.sealing import Marks, short
from audit.slots import Values, open_slots
from audit.verify import Damage, Finding
from schemas.codes import IdType, SubjectKind
from schemas.subject import Subject

CHUNK = 2000
_FOLLOWS = {kind.number for kind in EventType if kind.follows}


@dataclass(slots=True)
class DeepReport:
    """How many records had what become of their values, and the indexes where something is wrong."""

    values: Counter[str] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)
    misindexed: list[int] = field(default_factory=list)
    without_intent: list[int] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        """What was altered; erased values and orphan intents are no damage."""
        kinds = (Damage.SEALED, self.broken), (Damage.INDEX, self.misindexed), (Damage.UNPAIRED, self.without_intent)
        return [Finding(damage, index, index) for damage, indexes in kinds for index in indexes]


def check_deep(reader: Reader) -> DeepReport:
    """
    Checks every record.  Raises `AuditUnavailable`, `LogBroken` for a key that does not unwrap.
    """
    report = DeepReport()
    size = reader.head().size
    for start in range(0, size, CHUNK):
        _check_chunk(reader, start, min(start + CHUNK, size), report)
    report.broken += [
        row[0] for row in reader.rows("SELECT DISTINCT idx FROM {schema}.sealed WHERE idx >= %s ORDER BY idx", (size,))
    ]
    report.without_intent = _unpaired(reader, EventType.LOOKUP_OUTCOME, (EventType.LOOKUP_INTENT,), size)
    closed = (EventType.LOOKUP_OUTCOME, EventType.LOG_ORPHAN_CLOSED)
    report.orphans = _unpaired(reader, EventType.LOOKUP_INTENT, closed, size)
    return report


@dataclass(frozen=True, slots=True)
class Read:
    """
    One record, read from its own bytes and sealed values alone.

    `said` is personal data: the opened values by field.  `misindexed`: a mark beside it is not the one that follows
    from its values, or one is missing.
    """

    index: int
    exchange: UUID
    leaf: dict[str, Any]
    body: bytes = field(repr=False)
    values: Values
    said: dict[str, dict[str, str]] = field(repr=False)
    misindexed: bool


def read_chunk(reader: Reader, start: int, end: int) -> tuple[list[Read], list[int]]:
    """
    The records start … end−1, and the places at which there are sealed values but no record.
    """
    entries = reader.rows(
        "SELECT idx, type, xid, body FROM {schema}.entry WHERE idx >= %s AND idx < %s ORDER BY idx", (start, end)
    )
    rows = reader.rows(
        "SELECT idx, slot, party_key, party_box, staff_key, staff_box, party_mark, staff_mark, case_mark, order_mark "
        "FROM {schema}.sealed WHERE idx >= %s AND idx < %s ORDER BY idx, slot",
        (start, end),
    )
    by_index: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_index.setdefault(row[0], []).append(row)
    keys = reader.wrapped_keys([key for row in rows for key in (row[2], row[4]) if key is not None])
    records = [
        _read(reader, keys, index, number, exchange, body, by_index.pop(index, []))
        for index, number, exchange, body in entries
    ]
    return records, sorted(by_index)


def _read(
    reader: Reader,
    keys: dict[int, WrappedKey],
    index: int,
    number: int,
    exchange: UUID,
    body: bytes,
    sealed: Sequence[tuple[Any, ...]],
) -> Read:
    leaf = read_leaf(body)
    values, openings = open_slots(reader, keys, exchange, number, [row[:6] for row in sealed], leaf)
    said = {one.name: json.loads(one.value) for one in openings if one.name != "digests"}
    expected = list(_marks(reader.opener.marks, said, leaf, len(sealed), follows=number in _FOLLOWS))
    living = [
        tuple(mark if row[key] is None or row[key] in keys else None for mark, key in _with_keys(row)) for row in sealed
    ]
    return Read(index, exchange, leaf, body, values, said, misindexed=living != expected)


def _check_chunk(reader: Reader, start: int, end: int, report: DeepReport) -> None:
    records, strays = read_chunk(reader, start, end)
    for record in records:
        report.values[record.values.value] += 1
        if record.values in {Values.BROKEN, Values.MISSING}:
            report.broken.append(record.index)
        elif record.misindexed:
            report.misindexed.append(record.index)
    report.broken += strays


def _with_keys(row: Sequence[Any]) -> Iterator[tuple[int | None, int]]:
    """The marks of a row, each with the column of the key that it lives and dies with."""
    yield row[6], 2
    yield from ((mark, 4) for mark in row[7:10])


def _marks(
    marks: Marks, said: dict[str, dict[str, str]], read: dict[str, Any], slots: int, *, follows: bool
) -> Iterator[tuple[int | None, ...]]:
    court = read.get("who", {}).get("court")
    for slot in range(slots):
        party = said.get(f"whose.{slot}")
        who, why = (said.get("who", {}), said.get("why", {})) if slot == 0 else ({}, {})
        yield (
            None if party is None or follows else short(marks.party(_subject(read["whose"][slot], party))),
            short(marks.staff(court, who["user"])) if "user" in who else None,
            short(marks.case(why["case_number"])) if "case_number" in why else None,
            short(marks.order(court, why["work_order"])) if "work_order" in why else None,
        )


def _subject(clear: dict[str, str], value: dict[str, str]) -> Subject:
    return Subject(kind=SubjectKind(clear["kind"]), id_type=IdType(clear["id"]), id_number=value["id_number"])


def _unpaired(reader: Reader, kind: EventType, others: Sequence[EventType], size: int) -> list[int]:
    rows = reader.rows(
        "SELECT idx FROM {schema}.entry e WHERE type = %s AND idx < %s AND NOT EXISTS "
        "(SELECT 1 FROM {schema}.entry o WHERE o.xid = e.xid AND o.type = ANY (%s)) ORDER BY idx",
        (kind.number, size, [other.number for other in others]),
    )
    return [row[0] for row in rows]
