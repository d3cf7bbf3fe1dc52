"""
Coverage of a verification: the number of records in a period, of signed checkpoints, and of their anchors.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from audit.anchor.anchors import AnchorKind, AnchorState
from audit.format.checkpoint import open_checkpoint
from audit.format.note import NoteError
from audit.store.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredRecords:
    """The records of a period: their number, and the first and last of them by index and time."""

    records: int
    first: int | None
    last: int | None
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Stored checkpoints, and how many of them the log's key signed; `newest` is the size of the largest."""

    stored: int
    signed: int
    newest: int


def count_records(reader: Reader, since: datetime | None, until: datetime | None) -> CoveredRecords:
    """The records of a period, of every court.  Raises `AuditUnavailable`."""
    given = [("at >= %s", since), ("at < %s", until)]
    where = " AND ".join(text for text, value in given if value is not None) or "true"
    query = f"SELECT count(*), min(idx), max(idx), min(at), max(at) FROM {{schema}}.entry WHERE {where}"  # noqa: S608
    with reader.connection(snapshot=True) as connection:
        parameters = [value for _, value in given if value is not None]
        records, first, last, first_at, last_at = connection.execute(reader.query(query), parameters).fetchall()[0]
    return CoveredRecords(records=records, first=first, last=last, first_at=first_at, last_at=last_at)


def count_checkpoints(reader: Reader) -> Checkpoints:
    """The stored checkpoints, their signatures checked.  Raises `AuditUnavailable`."""
    signed = stored = newest = 0
    for size, note in reader.checkpoints():
        stored += 1
        try:
            good = open_checkpoint(note, reader.vkey.name, [reader.vkey])[0].size == size
        except NoteError:
            good = False
        if good:
            signed, newest = signed + 1, max(newest, size)
    return Checkpoints(stored=stored, signed=signed, newest=newest)


def count_anchors(reader: Reader) -> Counter[tuple[AnchorKind, AnchorState]]:
    """The number of stored anchors by kind and by their state on arrival."""
    rows = reader.rows("SELECT kind, state, count(*) FROM {schema}.anchor GROUP BY kind, state")
    return Counter({(AnchorKind(kind), AnchorState(state)): count for kind, state, count in rows})
