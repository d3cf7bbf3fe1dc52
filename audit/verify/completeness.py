"""
The completeness check of a search: evaluates its criteria again without the search index.

Every record of the period is read from its own bytes, newest first, and its sealed values are opened.  They alone
decide whether it belongs to the result; the columns and marks that the search used are not trusted.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audit.format.event import EventType
from audit.format.leaf import microseconds
from audit.sealing.sealer import same_case
from audit.store.reader import Reader
from audit.store.sealed_values import SealedValues
from audit.store.search import Query
from audit.verify.deep_verification import CHUNK, OpenedRecord, read_chunk

_CLOSED = frozenset({SealedValues.ERASED, SealedValues.MISSING, SealedValues.BROKEN})


@dataclass(slots=True)
class Completeness:
    """
    The result of the check, by index.

    `walked` records lie in the period; the values of `closed` of them are erased or damaged, so that their place in
    the result is unknown.  `misindexed`: a mark does not follow from the values.
    """

    walked: int = 0
    closed: int = 0
    left_out: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    misindexed: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the search's result is the true one."""
        return not (self.left_out or self.added or self.misindexed)


@dataclass(frozen=True, slots=True)
class _Completing:
    """The part of an outcome that counts for the record that it completes; `fits`: it belongs to the result itself."""

    index: int
    states: frozenset[str]
    body: bytes = field(repr=False)
    fits: bool


def check_search(
    reader: Reader,
    query: Query,
    hits: Collection[int],
    size: int,
    progress: Callable[[int, int], None] | None = None,
) -> Completeness:
    """
    Compares the indexes in `hits`, of all pages of a search, with the true result in a log of this size.

    Raises `AuditUnavailable`, `LogBroken` for a key that does not unwrap.
    """
    shown = Completeness()
    true: set[int] = set()
    unknown: set[int] = set()
    completing: dict[UUID, _Completing] = {}
    for end in range(size, 0, -CHUNK):
        records, _ = read_chunk(reader, max(end - CHUNK, 0), end)
        for record in reversed(records):
            if record.leaf.get("type") == EventType.LOOKUP_OUTCOME.value:
                completing[record.exchange] = _completing(query, record)
                inside = _in_period(query, record)
            else:
                # An intent is the first of its exchange: no earlier record is completed by the same outcome.
                first = record.leaf.get("type") == EventType.LOOKUP_INTENT.value
                take = completing.pop if first else completing.get
                inside = _judge(query, record, take(record.exchange, None), true, unknown)
            if inside:
                shown.walked += 1
                shown.closed += record.values in _CLOSED
                if record.misindexed and record.values not in _CLOSED:
                    shown.misindexed.append(record.index)
        if progress is not None:
            progress(size - max(end - CHUNK, 0), size)
    # Outcomes without their intent: their court is unknown.
    true |= {outcome.index for outcome in completing.values() if outcome.fits and query.court is None}
    shown.left_out = sorted(true - set(hits))
    shown.added = sorted(set(hits) - true - unknown)
    shown.misindexed.sort()
    return shown


def _judge(
    query: Query, record: OpenedRecord, completed_by: _Completing | None, true: set[int], unknown: set[int]
) -> bool:
    """Sorts a record and its outcome into `true` and `unknown`; returns whether it is in the period."""
    court = query.court is None or record.leaf.get("who", {}).get("court") == query.court
    if completed_by is not None and completed_by.fits and court:
        true.add(completed_by.index)
    inside = _in_period(query, record)
    if inside and court and _says(query, record, completed_by):
        if _values_fit(query, record):
            true.add(record.index)
        elif record.values in _CLOSED:
            unknown.add(record.index)
    return inside


def _completing(query: Query, record: OpenedRecord) -> _Completing:
    personal = query.user or query.work_order or query.case_number or query.subject
    states = _states(record.leaf)
    fits = EventType.LOOKUP_OUTCOME in query.types and _in_period(query, record) and not personal
    return _Completing(record.index, states, record.body, fits and _says(query, record, None))


def _in_period(query: Query, record: OpenedRecord) -> bool:
    at = record.leaf.get("t", 0)
    return (query.since is None or at >= microseconds(query.since)) and (
        query.until is None or at < microseconds(query.until)
    )


def _says(query: Query, record: OpenedRecord, completed_by: _Completing | None) -> bool:
    """Whether type, agency and state meet the criteria."""
    types = {kind.value for kind in query.types}
    states = _states(record.leaf) | (completed_by.states if completed_by else frozenset())
    named = f'"{query.agency}.'.encode()
    return (
        (not types or record.leaf.get("type") in types)
        and (query.state is None or query.state.value in states)
        and (query.agency is None or named in record.body or (completed_by is not None and named in completed_by.body))
    )


def _values_fit(query: Query, record: OpenedRecord) -> bool:
    """Whether the sealed values meet the criteria."""
    who, why = record.people.get("who", {}), record.people.get("why", {})
    return (
        (query.user is None or who.get("user") == query.user)
        and (query.work_order is None or why.get("work_order") == query.work_order)
        and (query.case_number is None or same_case(why.get("case_number", ""), query.case_number))
        and (query.subject is None or any(_is_party(query, record, number) for number in range(_parties(record))))
    )


def _parties(record: OpenedRecord) -> int:
    return len(record.leaf.get("whose", ()))


def _is_party(query: Query, record: OpenedRecord, number: int) -> bool:
    clear: dict[str, Any] = record.leaf["whose"][number]
    value = record.people.get(f"whose.{number}", {})
    return query.subject is not None and (clear.get("id"), value.get("id_number")) == (
        query.subject.id_type.value,
        query.subject.id_number,
    )


def _states(leaf: dict[str, Any]) -> frozenset[str]:
    return frozenset(answer["is"] for answer in leaf.get("heard", ()))
