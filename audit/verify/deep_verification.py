"""
Deep verification: for every record, checks that its search index matches its content, and that each sealed value opens
to what the leaf commits to or was erased by a recorded erasure.  Needs the root key.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.format.event import EventType
from audit.format.leaf import mask_of, microseconds
from audit.format.leaf import read as read_leaf
from audit.sealing.sealer import BlindIndex, short_mark
from audit.sealing.unsealing import WrappedKey
from audit.store.reader import Reader
from audit.store.sealed_values import SealedValues, open_slots
from audit.verify.verifier import Damage, Finding
from schemas.codes import AnswerState, IdType, SubjectKind
from schemas.subject import Subject

CHUNK = 2000
_FOLLOWS = {kind.number for kind in EventType if kind.is_completion}


@dataclass(slots=True)
class DeepReport:
    """The number of records by the state of their values, and the indexes of damaged ones."""

    values: Counter[str] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)
    misindexed: list[int] = field(default_factory=list)
    without_intent: list[int] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        """The damage; erased values and orphan intents are none."""
        kinds = (Damage.SEALED, self.broken), (Damage.INDEX, self.misindexed), (Damage.UNPAIRED, self.without_intent)
        return [Finding(damage, index, index) for damage, indexes in kinds for index in indexes]


def check_deep(reader: Reader) -> DeepReport:
    """
    Checks every record.  Raises `AuditUnavailable`, `LogBroken` for a key that does not unwrap.
    """
    report = DeepReport()
    erased = _Erased()
    size = reader.head().size
    for start in range(0, size, CHUNK):
        _check_chunk(reader, start, min(start + CHUNK, size), report, erased)
    report.broken += [
        row[0] for row in reader.rows("SELECT DISTINCT idx FROM {schema}.sealed WHERE idx >= %s ORDER BY idx", (size,))
    ]
    report.broken = sorted({*report.broken, *erased.without_record()})
    report.without_intent = _unpaired(reader, EventType.LOOKUP_OUTCOME, (EventType.LOOKUP_INTENT,), size)
    closed = (EventType.LOOKUP_OUTCOME, EventType.LOG_ORPHAN_CLOSED)
    report.orphans = _unpaired(reader, EventType.LOOKUP_INTENT, closed, size)
    return report


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """
    One record, read from its own bytes and sealed values alone.

    `people` is personal data: the opened values by field.  `misindexed`: a mark or column of the search index does not
    follow from its values and its leaf, or is missing.  `destroyed_keys` are those of its values.
    """

    index: int
    exchange: UUID
    leaf: dict[str, Any]
    body: bytes = field(repr=False)
    values: SealedValues
    people: dict[str, dict[str, str]] = field(repr=False)
    misindexed: bool
    destroyed_keys: frozenset[int]


@dataclass(slots=True)
class _Erased:
    """The records that each destroyed key had sealed, and those that recorded erasures name."""

    by_key: dict[int, list[int]] = field(default_factory=dict)
    announced: set[int] = field(default_factory=set)

    def add(self, record: OpenedRecord) -> None:
        """Adds a record."""
        for key in record.destroyed_keys:
            self.by_key.setdefault(key, []).append(record.index)
        if record.leaf.get("type") == EventType.LOG_ERASED.value:
            listed = str(record.leaf.get("detail", {}).get("indexes", ""))
            self.announced.update(int(index) for index in listed.split(",") if index.isascii() and index.isdigit())

    def without_record(self) -> set[int]:
        """
        The records whose key was destroyed without a recorded erasure.

        A record that was sealed during an erasure is not named by it, but its key has sealed one that is.
        """
        silent = (indexes for indexes in self.by_key.values() if self.announced.isdisjoint(indexes))
        return {index for indexes in silent for index in indexes}


def read_chunk(reader: Reader, start: int, end: int) -> tuple[list[OpenedRecord], list[int]]:
    """
    The records start … end−1, and the indexes that have sealed values but no record.
    """
    entries = reader.rows(
        "SELECT idx, type, xid, body, at, court, states FROM {schema}.entry WHERE idx >= %s AND idx < %s ORDER BY idx",
        (start, end),
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
    records = [_read(reader, keys, entry, by_index.pop(entry[0], [])) for entry in entries]
    return records, sorted(by_index)


def _read(
    reader: Reader, keys: dict[int, WrappedKey], entry: tuple[Any, ...], sealed: Sequence[tuple[Any, ...]]
) -> OpenedRecord:
    index, number, exchange, body = entry[:4]
    leaf = read_leaf(body)
    values, openings = open_slots(reader, keys, exchange, number, [row[:6] for row in sealed], leaf)
    people = {opening.name: json.loads(opening.value) for opening in openings if opening.name != "digests"}
    dead = frozenset(key for row in sealed for key in (row[2], row[4]) if key is not None and key not in keys)
    return OpenedRecord(
        index, exchange, leaf, body, values, people, _is_misindexed(reader, keys, entry, leaf, people, sealed), dead
    )


def _is_misindexed(
    reader: Reader,
    keys: dict[int, WrappedKey],
    entry: tuple[Any, ...],
    leaf: dict[str, Any],
    people: dict[str, dict[str, str]],
    sealed: Sequence[tuple[Any, ...]],
) -> bool:
    _, number, exchange, _, *columns = entry
    living = [
        tuple(mark if row[key] is None or row[key] in keys else None for mark, key in _with_keys(row)) for row in sealed
    ]
    follows = number in _FOLLOWS
    try:
        expected = list(_marks(reader.opener.marks, people, leaf, len(sealed), follows=follows))
        return living != expected or not _is_filed(leaf, number, exchange, *columns, follows=follows)
    except (AttributeError, KeyError, TypeError, ValueError):
        # The leaf was altered, which its hash shows; no search finds it.
        return True


def _is_filed(
    leaf: dict[str, Any], number: int, exchange: UUID, at: datetime, court: str | None, states: int, *, follows: bool
) -> bool:
    """Whether the columns beside a leaf are what it says.  A record that follows names no court: its intent does."""
    mask = 0
    for answer in leaf.get("heard", ()):
        mask |= mask_of(AnswerState(answer["is"]))
    return (
        EventType.from_name(leaf["type"]).number == number
        and leaf["xid"] == str(exchange)
        and leaf["t"] == microseconds(at)
        and mask == states
        and (follows or leaf.get("who", {}).get("court") == court)
    )


def _check_chunk(reader: Reader, start: int, end: int, report: DeepReport, erased: _Erased) -> None:
    records, strays = read_chunk(reader, start, end)
    for record in records:
        report.values[record.values.value] += 1
        erased.add(record)
        if record.values in {SealedValues.BROKEN, SealedValues.MISSING}:
            report.broken.append(record.index)
        elif record.misindexed:
            report.misindexed.append(record.index)
    report.broken += strays


def _with_keys(row: Sequence[Any]) -> Iterator[tuple[int | None, int]]:
    """The marks of a row, each with the column of the key that it lives and dies with."""
    yield row[6], 2
    yield from ((mark, 4) for mark in row[7:10])


def _marks(
    marks: BlindIndex, people: dict[str, dict[str, str]], read: dict[str, Any], slots: int, *, follows: bool
) -> Iterator[tuple[int | None, ...]]:
    court = read.get("who", {}).get("court")
    for slot in range(slots):
        party = people.get(f"whose.{slot}")
        who, why = (people.get("who", {}), people.get("why", {})) if slot == 0 else ({}, {})
        yield (
            None if party is None or follows else short_mark(marks.party(_subject(read["whose"][slot], party))),
            short_mark(marks.staff(court, who["user"])) if "user" in who else None,
            short_mark(marks.case(why["case_number"])) if "case_number" in why else None,
            short_mark(marks.order(court, why["work_order"])) if "work_order" in why else None,
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
