"""
Search for compliance staff: by period, person, court, work order, case, agency, state, type, and subject.

Identifiers are searched through keyed marks beside the sealed values, and every hit is checked: its bytes against its
hash, its place against the signed checkpoint, its values against the commitments in its leaf.  Blocks; call it from a
worker thread.
"""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from audit.format import leaf
from audit.format.checkpoint import open_checkpoint
from audit.format.event import EventType
from audit.format.note import NoteError
from audit.format.tree import inclusion_proof, leaf_hash, verify_inclusion
from audit.sealing.sealer import same_case, short_mark
from audit.store.reader import Head, Reader
from audit.store.sealed_values import SealedValues, open_slots
from schemas.codes import AnswerState
from schemas.subject import Subject

MOST_HITS = 500
_TYPES = {kind.number: kind for kind in EventType}


class HitEvidence(Enum):
    """How well a hit is proved."""

    PROVED = "proved"
    NOT_YET_SIGNED = "not_yet_signed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """
    The criteria of a search; all that are given must hold.  `before` continues a page (keyset), newest first.

    A state or an agency may be matched by the record or by the outcome that completes it.  `below` limits the search,
    outcomes included, to the first so many records.
    """

    since: datetime | None = None
    until: datetime | None = None
    court: str | None = None
    user: str | None = None
    work_order: str | None = None
    case_number: str | None = None
    agency: str | None = None
    state: AnswerState | None = None
    types: tuple[EventType, ...] = ()
    subject: Subject | None = field(default=None, repr=False)
    before: int | None = None
    below: int | None = None
    limit: int = 50

    @property
    def criteria(self) -> tuple[str, ...]:
        """The names of the criteria, without their values."""
        return tuple(name for name in _CRITERIA if getattr(self, name))


_CRITERIA = ("since", "until", "court", "user", "work_order", "case_number", "agency", "state", "types", "subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """
    One record, with the outcome that completes it.  `people` is personal data: opened values by field.
    """

    index: int
    type: EventType
    at: datetime
    exchange: UUID
    body: bytes = field(repr=False)
    evidence: HitEvidence
    values: SealedValues
    people: dict[str, dict[str, str]] = field(repr=False)
    outcome: "Hit | None" = None

    @property
    def leaf(self) -> dict[str, Any]:
        """The leaf, read."""
        return leaf.read(self.body)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """
    Hits, newest first; `next` continues below it, None at the end.

    `checkpoint` is what proofs refer to, `checkpoint_size` how many records it covers.
    """

    hits: tuple[Hit, ...]
    next: int | None
    checkpoint: bytes
    checkpoint_size: int


def search(reader: Reader, query: Query, head: Head | None = None) -> SearchPage:
    """
    One page of hits, proved against `head` (default: the current one).  Raises `AuditUnavailable`.
    """
    head = head or reader.head()
    where, parameters, marked = _conditions(reader, query)
    source = "{schema}.sealed s JOIN {schema}.entry e USING (idx)" if marked else "{schema}.entry e"
    limit = min(max(query.limit, 1), MOST_HITS)
    rows = reader.rows(
        f"SELECT e.idx, e.xid FROM {source} WHERE {where} ORDER BY e.idx DESC LIMIT %s",  # noqa: S608 - our own text
        (*parameters, limit + 1),
    )
    more = len(rows) > limit
    indexes = [row[0] for row in rows[:limit]]
    loading = _Hits(reader, head.signed_size, head.signed_note, query.below)
    hits = loading.load(indexes, [row[1] for row in rows[:limit]])
    fits = tuple(hit for hit in hits if _is_meant(hit, query))
    return SearchPage(fits, indexes[-1] if more else None, head.signed_note, head.signed_size)


def search_all(reader: Reader, query: Query, head: Head | None = None) -> Iterator[SearchPage]:
    """
    Every page of the log as of the first page; later records are left out.  One page is in memory at a time.  Raises
    `AuditUnavailable`.
    """
    head = head or reader.head()
    query = replace(query, below=head.size if query.below is None else query.below)
    while True:
        page = search(reader, query, head)
        yield page
        if page.next is None:
            return
        query = replace(query, before=page.next)


def _conditions(reader: Reader, query: Query) -> tuple[str, list[Any], bool]:
    marks = reader.opener.marks
    court, subject, user = query.court, query.subject, query.user
    wanted = [kind.number for kind in query.types]
    agency = None if query.agency is None else f'"{query.agency}.'.encode()
    given: list[tuple[str, Any]] = [
        ("e.type <> ALL (%s)", [kind.number for kind in EventType if kind.is_completion and kind not in query.types]),
        ("s.party_mark = %s", None if subject is None else short_mark(marks.party(subject))),
        ("s.staff_mark = %s", None if user is None else short_mark(marks.staff(court, user))),
        ("s.case_mark = %s", None if query.case_number is None else short_mark(marks.case(query.case_number))),
        ("s.order_mark = %s", None if query.work_order is None else short_mark(marks.order(court, query.work_order))),
        ("e.idx < %s", query.before),
        ("e.idx < %s", query.below),
        ("e.at >= %s", query.since),
        ("e.at < %s", query.until),
        ("e.court = %s", court),
        ("e.type = ANY (%s)", wanted or None),
        (_either("x.states & %s <> 0", query.below), None if query.state is None else leaf.mask_of(query.state)),
        (_either("position(%s in x.body) > 0", query.below), agency),
    ]
    clauses = [(text, value) for text, value in given if value is not None]
    marked = any(text.startswith("s.") for text, _ in clauses)
    # State and agency occur twice: for the record, and for the outcome that completes it.
    parameters = [value for text, value in clauses for _ in range(text.count("%s"))]
    return " AND ".join(text for text, _ in clauses), parameters, marked


def _either(condition: str, below: int | None) -> str:
    own = condition.replace("x.", "e.")
    if below is not None:
        condition += f" AND x.idx < {below:d}"
    completing = f"EXISTS (SELECT 1 FROM {{schema}}.entry x WHERE x.xid = e.xid AND x.idx > e.idx AND {condition})"  # noqa: S608
    return f"({own} OR {completing})"


def _is_meant(hit: Hit, query: Query) -> bool:
    """Compares a hit's values with the criteria, as far as they can still be read: a mark has 64 bits only."""
    if hit.values is not SealedValues.OPENED:
        return True
    who, why = hit.people.get("who", {}), hit.people.get("why", {})
    numbers = {value.get("id_number") for name, value in hit.people.items() if name.startswith("whose.")}
    return (
        (query.subject is None or query.subject.id_number in numbers)
        and (query.user is None or who.get("user") == query.user)
        and (query.case_number is None or same_case(why.get("case_number", ""), query.case_number))
        and (query.work_order is None or why.get("work_order") == query.work_order)
    )


class _Hits:
    """Loads a page of records with their proofs and sealed values."""

    def __init__(self, reader: Reader, signed_size: int, note: bytes, below: int | None) -> None:
        self._reader = reader
        self._size = signed_size
        self._below = 2**62 if below is None else below
        self._root = _signed_root(reader, note)

    def load(self, indexes: Sequence[int], exchanges: Sequence[UUID]) -> Iterator[Hit]:
        """The records at these indexes, newest first, each with the outcome of its exchange."""
        follows = [kind.number for kind in EventType if kind.is_completion]
        rows = self._reader.rows(
            "SELECT idx, type, at, xid, body, leaf FROM {schema}.entry "
            "WHERE idx = ANY (%s) OR (xid = ANY (%s) AND type = ANY (%s) AND idx < %s) ORDER BY idx DESC",
            (list(indexes), list(exchanges), follows, self._below),
        )
        sealed = self._sealed([row[0] for row in rows])
        paths = (functools.partial(inclusion_proof, row[0], self._size) for row in rows if row[0] < self._size)
        self._nodes = self._reader.nodes(*paths)
        hits = {row[0]: self._hit(row, sealed.get(row[0], [])) for row in rows}
        outcomes = {hit.exchange: hit for hit in hits.values() if hit.type.is_completion}
        for index in indexes:
            hit = hits[index]
            outcome = None if hit.type.is_completion else outcomes.get(hit.exchange)
            yield replace(hit, outcome=outcome)

    def _sealed(self, indexes: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
        rows = self._reader.rows(
            "SELECT idx, slot, party_key, party_box, staff_key, staff_box FROM {schema}.sealed "
            "WHERE idx = ANY (%s) ORDER BY idx, slot",
            (list(indexes),),
        )
        self._keys = self._reader.wrapped_keys([key for row in rows for key in (row[2], row[4]) if key is not None])
        by_index: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            by_index.setdefault(row[0], []).append(row)
        return by_index

    def _hit(self, row: tuple[Any, ...], sealed: Sequence[tuple[Any, ...]]) -> Hit:
        index, number, at, exchange, body, stored = row
        values, openings = open_slots(self._reader, self._keys, exchange, number, sealed, leaf.read(body))
        people = {
            opening.name: json.loads(opening.value)
            for opening in openings
            if opening.value and opening.name != "digests"
        }
        return Hit(
            index=index,
            type=_TYPES[number],
            at=at,
            exchange=exchange,
            body=body,
            evidence=self._evidence(index, body, stored),
            values=values,
            people=people,
        )

    def _evidence(self, index: int, body: bytes, stored: bytes) -> HitEvidence:
        if leaf_hash(body) != stored:
            return HitEvidence.BROKEN
        if index >= self._size:
            return HitEvidence.NOT_YET_SIGNED
        try:
            proof = inclusion_proof(index, self._size, self._nodes)
        except ValueError:
            # Hashes are missing from the tree.
            return HitEvidence.BROKEN
        shown = verify_inclusion(index, self._size, stored, proof, self._root)
        return HitEvidence.PROVED if shown else HitEvidence.BROKEN


def _signed_root(reader: Reader, note: bytes) -> bytes:
    try:
        return open_checkpoint(note, reader.vkey.name, [reader.vkey])[0].root
    except NoteError:
        return b""
