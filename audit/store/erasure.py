"""
Erasure of a person (the keys of their sealed values are destroyed, and no hash in the log changes) and purge of
payloads (raw answers, results, notes) whose retention is over.

Order of an erasure: the durable record of it, then the keys, in one step for every process, then the sealed values.  A
step that fails can be repeated: the same call resumes.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from audit.errors import AuditUnavailable
from audit.sealing.sealer import short_mark
from audit.store import database
from audit.store.reader import Reader
from schemas.subject import Subject

MOST_INDEXES = 500
RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Erasable:
    """The extent of an erasure: the keys, and the records whose values they seal."""

    mark: bytes
    keys: tuple[int, ...]
    indexes: tuple[int, ...]

    def ranges(self) -> tuple[str, ...]:
        """The indexes as text for the records of the erasure, a bounded number in each."""
        parts = [self.indexes[at : at + MOST_INDEXES] for at in range(0, len(self.indexes), MOST_INDEXES)]
        return tuple(",".join(str(index) for index in part) for part in parts) or ("",)


def erasable(reader: Reader, subject: Subject) -> Erasable:
    """
    The keys and records of a subject.  Raises `AuditUnavailable`.
    """
    mark = reader.opener.marks.party(subject)
    keys = reader.rows("SELECT id FROM {keys}.subject_key WHERE mark = %s::uuid", (mark.hex(),))
    indexes = reader.rows(
        "SELECT DISTINCT f.idx FROM {schema}.sealed s JOIN {schema}.entry e USING (idx) "
        "JOIN {schema}.entry f ON f.xid = e.xid WHERE s.party_mark = %s ORDER BY f.idx",
        (short_mark(mark),),
    )
    return Erasable(mark, tuple(row[0] for row in keys), tuple(row[0] for row in indexes))


def erase(eraser_dsn: str, doomed: Erasable, *, schema: str = database.SCHEMA) -> int:
    """
    Destroys the keys and the values that they seal; returns the number of keys.

    Connects as a role of the erasers' group.  The record of the erasure must be durable already.  Raises
    `AuditUnavailable` if all or a part of it could not be done.
    """
    try:
        conninfo = database.conninfo(eraser_dsn, timeout=60, purpose="erase")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            row = connection.execute(
                f"SELECT {schema}.destroy_keys(%s::bigint[])",
                (list(doomed.keys),),
            ).fetchone()
            connection.execute(
                f"SELECT {schema}.clear_boxes(%s::bigint[], %s)",
                (list(doomed.keys), short_mark(doomed.mark)),
            )
        return int(row[0]) if row else 0
    except psycopg.Error:
        pass
    raise AuditUnavailable("could not erase, or not all of it; run the same command again")


def expired(reader: Reader, now: datetime) -> int:
    """The number of payloads whose retention is over.  Raises `AuditUnavailable`."""
    rows = reader.rows("SELECT count(*) FROM {schema}.kept WHERE expires_at <= %s", (now,))
    return int(rows[0][0])


def purge(eraser_dsn: str, now: datetime, *, schema: str = database.SCHEMA) -> int:
    """
    Deletes the payloads whose retention is over at `now`, and returns their number.

    The record of it, with ground `retention`, must be durable already.  Raises `AuditUnavailable`.
    """
    try:
        conninfo = database.conninfo(eraser_dsn, timeout=60, purpose="purge")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            return connection.execute(
                f"DELETE FROM {schema}.kept WHERE expires_at <= %s",  # noqa: S608 - our own name
                (now,),
            ).rowcount
    except psycopg.Error:
        pass
    raise AuditUnavailable("could not purge; run the same command again")
