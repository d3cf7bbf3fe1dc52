"""
Anchors: outside evidence for checkpoints (a neighbour's cosignature, an RFC 3161 timestamp, a delivery on paper).

The holder of the log's key can sign a second history; only evidence that others hold shows it.  An anchor covers all
records below its size.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from audit.anchor.witness import with_cosignatures
from audit.errors import LogBroken
from audit.format.checkpoint import open_checkpoint
from audit.format.event import EventType
from audit.format.note import NoteError
from audit.store.reader import Reader


class AnchorKind(StrEnum):
    """The kind of evidence: a witness's cosignature line, a timestamping authority's reply, or our own delivery."""

    COSIGNATURE = "cosignature"
    TIMESTAMP = "rfc3161"
    DELIVERY = "delivery"


class AnchorState(StrEnum):
    """Whether the evidence was verified here, or is only stored for a tool that can read it."""

    VALID = "valid"
    UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One piece of evidence.  `size` is that of the checkpoint, `at` our clock when the evidence came in."""

    kind: AnchorKind
    name: str
    size: int
    at: datetime
    evidence: bytes
    state: AnchorState = AnchorState.VALID


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint that is retained for good: its size and its bytes."""

    size: int
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorStatus:
    """
    The status of one anchor: the newest valid evidence, if any, and since when a record waits for the next.

    The log's own records of its anchors do not count as waiting, or an idle log would never come to rest.
    """

    kind: AnchorKind
    name: str
    size: int | None
    at: datetime | None
    unparsed: int | None
    uncovered_since: datetime | None

    def is_late(self, now: datetime, limit: timedelta) -> bool:
        """Whether a record has waited longer than the limit."""
        return self.uncovered_since is not None and now - self.uncovered_since > limit


class Anchors:
    """
    The anchors of one log in its database.  Every method blocks, and raises `AuditUnavailable`.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def retain_newest(self) -> StoredCheckpoint | None:
        """
        The newest signed checkpoint, from now on retained for good; None before the first.

        Raises `LogBroken` if the log's key did not sign it.
        """
        rows = self._reader.rows("SELECT kept_size, kept_note FROM {schema}.keep()")
        if not rows:
            return None
        checkpoint = StoredCheckpoint(*rows[0])
        vkey = self._reader.vkey
        try:
            right = open_checkpoint(checkpoint.note, vkey.name, [vkey])[0].size == checkpoint.size
        except NoteError:
            right = False
        if not right:
            raise LogBroken("the checkpoint in the database is not one that this key signed")
        return checkpoint

    def retained(self, size: int) -> bytes | None:
        """The retained checkpoint of a size, if there is one."""
        rows = self._reader.rows("SELECT note FROM {schema}.checkpoint WHERE size = %s", (size,))
        return rows[0][0] if rows else None

    def add(self, anchor: Anchor) -> bool:
        """Stores evidence for a retained checkpoint, durably; False if another process was faster."""
        query = (
            "INSERT INTO {schema}.anchor (size, kind, name, state, at, evidence) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING size"
        )
        values = (anchor.size, anchor.kind.value, anchor.name, anchor.state.value, anchor.at, anchor.evidence)
        return bool(self._reader.rows(query, values))

    def newest(self, kind: AnchorKind, name: str, *states: AnchorState) -> Anchor | None:
        """The evidence of this name for the largest checkpoint, in one of these states (default: in any)."""
        rows = self._reader.rows(
            "SELECT size, state, at, evidence FROM {schema}.anchor WHERE kind = %s AND name = %s AND state = ANY (%s) "
            "ORDER BY size DESC LIMIT 1",
            (kind.value, name, [state.value for state in states or AnchorState]),
        )
        if not rows:
            return None
        size, state, at, evidence = rows[0]
        return Anchor(kind=kind, name=name, size=size, state=AnchorState(state), at=at, evidence=evidence)

    def is_due(self, size: int) -> bool:
        """Whether the newest signed checkpoint covers a record at or above `size` that is no anchor's own."""
        waiting = self._waiting(size)
        return waiting is not None and waiting[0] < self._reader.head().signed_size

    def status(self, kind: AnchorKind, name: str) -> AnchorStatus:
        """The anchor's current status; only verified evidence counts."""
        valid = self.newest(kind, name, AnchorState.VALID)
        unparsed = self.newest(kind, name, AnchorState.UNPARSED)
        waiting = self._waiting(valid.size if valid else 0)
        return AnchorStatus(
            kind=kind,
            name=name,
            size=valid.size if valid else None,
            at=valid.at if valid else None,
            unparsed=unparsed.size if unparsed else None,
            uncovered_since=waiting[1] if waiting else None,
        )

    def _waiting(self, size: int) -> tuple[int, datetime] | None:
        """The first record at or above `size` that is no anchor's own: its index and its time."""
        rows = self._reader.rows(
            "SELECT idx, at FROM {schema}.entry WHERE type <> %s AND idx >= %s ORDER BY idx LIMIT 1",
            (EventType.LOG_ANCHORED.number, size),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def cosigned(self, note: bytes, size: int) -> bytes:
        """A checkpoint with every cosignature line that is stored for its size."""
        rows = self._reader.rows(
            "SELECT evidence FROM {schema}.anchor WHERE size = %s AND kind = %s ORDER BY name",
            (size, AnchorKind.COSIGNATURE.value),
        )
        return with_cosignatures(note, [row[0] for row in rows]) if rows else note

    def newest_cosigned(self) -> bytes | None:
        """The newest checkpoint that a witness has cosigned, with all its lines."""
        rows = self._reader.rows(
            "SELECT c.size, c.note FROM {schema}.checkpoint c WHERE c.size = "
            "(SELECT max(size) FROM {schema}.anchor WHERE kind = %s)",
            (AnchorKind.COSIGNATURE.value,),
        )
        return self.cosigned(rows[0][1], rows[0][0]) if rows else None
