"""
Succession: a new log replaces one that cannot be continued (its database was rolled back, its guard or keys are lost).

The old log stays unchanged, under its origin.  Entry 0 of the new one embeds the last known checkpoint of the old one
(origin, size, root, signature), so that a verifier of the new log knows which size the old one must still have.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from audit.errors import LogConfigurationError
from audit.format.checkpoint import Checkpoint, open_checkpoint
from audit.format.event import Actor, Event, EventType, is_fit_for_clear
from audit.format.note import KEY_ID_BYTES, Note, NoteError, Signature, VerifierKey
from audit.sealing.keys import FILE, KeyFile, Keys
from audit.sealing.rollback_guard import RollbackGuard
from audit.store import database


@dataclass(frozen=True, slots=True)
class LastKnownCheckpoint:
    """The newest available checkpoint of the old log, and where it was found."""

    checkpoint: Checkpoint
    signature: Signature
    where: str

    def note(self) -> bytes:
        """The checkpoint as signed."""
        return Note(self.checkpoint.text(), (self.signature,)).encode()

    def detail(self) -> dict[str, str | int]:
        """The `detail` of entry 0 of the new log."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "signature": (self.signature.key_id + self.signature.payload).hex(),
        }


def embedded(detail: dict[str, str | int]) -> LastKnownCheckpoint:
    """
    The checkpoint that an entry 0 embeds, byte for byte; its signature is not checked.  Raises `NoteError`.
    """
    try:
        origin, size = str(detail["origin"]), int(detail["size"])
        root, signed = bytes.fromhex(str(detail["root"])), bytes.fromhex(str(detail["signature"]))
    except (KeyError, ValueError):
        signed = b""
    if len(signed) <= KEY_ID_BYTES:
        raise NoteError("could not read the embedded checkpoint")
    signature = Signature(origin, signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])
    return LastKnownCheckpoint(Checkpoint(origin, size, root), signature, "entry 0")


def last_known(vkey: VerifierKey, notes: Iterable[tuple[str, bytes]]) -> LastKnownCheckpoint | None:
    """
    The largest of these checkpoints (where it was found, its bytes) that the old log's key has signed.
    """
    best: LastKnownCheckpoint | None = None
    for where, note in notes:
        try:
            checkpoint, opened = open_checkpoint(note, vkey.name, [vkey])
        except NoteError:
            continue
        if best is None or checkpoint.size > best.checkpoint.size:
            best = LastKnownCheckpoint(checkpoint, opened.signatures[0], where)
    return best


def remembered_checkpoints(owner_dsn: str, schema: str, guard: Path, vkey: VerifierKey) -> Iterator[tuple[str, bytes]]:
    """
    The checkpoints in guard and database, as far as these are readable.
    """
    with contextlib.suppress(LogConfigurationError):
        yield "the rollback guard", RollbackGuard(guard, vkey).load().note
    try:
        with psycopg.connect(database.conninfo(owner_dsn, timeout=10, purpose="succeed")) as connection:
            name = sql.Identifier(schema)
            head = connection.execute(sql.SQL("SELECT signed_note FROM {}.head").format(name)).fetchone()
            older = connection.execute(sql.SQL("SELECT note FROM {}.checkpoint").format(name)).fetchall()
    except psycopg.Error:
        return
    for (note,) in [*([head] if head else []), *older]:
        yield "the database", bytes(note or b"")


def begin(owner_dsn: str, folder: Path, *, origin: str, schema: str, after: LastKnownCheckpoint) -> Keys:
    """
    Makes keys in `folder` and tables in `schema` for a log that succeeds another.  Its entry 0 is still to be written;
    until then the call can be repeated.

    Raises `LogConfigurationError` if there is a log already, or the origin cannot be the successor's.
    """
    if origin == after.checkpoint.origin:
        raise LogConfigurationError("the new log needs an origin of its own: no two logs may ever sign the same name")
    if not is_fit_for_clear(origin) or not is_fit_for_clear(after.checkpoint.origin):
        raise LogConfigurationError("an origin is a URL without its schema, in plain letters: court.example/audit/2")
    keys = KeyFile.load(folder) if (folder / FILE).exists() else KeyFile.create(folder, origin=origin)
    if keys.origin != origin:
        raise LogConfigurationError(f"{folder}: these are the keys of {keys.origin}; name another folder with --keys")
    with psycopg.connect(database.conninfo(owner_dsn, timeout=60, purpose="succeed")) as connection:
        database.create(connection, origin, schema=schema)
        row = connection.execute(sql.SQL("SELECT origin, size FROM {}.head").format(sql.Identifier(schema))).fetchone()
    if row != (origin, 0):
        raise LogConfigurationError(f"schema {schema} holds a log that has begun already; name another with --schema")
    return keys


def begin_event(after: LastKnownCheckpoint, at: datetime, who: Actor) -> Event:
    """Entry 0 of the new log."""
    return Event(type=EventType.LOG_BEGUN, exchange=uuid4(), at=at, who=who, outcome="begun", detail=after.detail())
