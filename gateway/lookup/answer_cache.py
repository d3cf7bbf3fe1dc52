"""
A per-grant cache of agency answers.  A fresh answer is served again, marked with its age, instead of asking the agency.

An entry is sealed for its grant, so that it never serves another work order, and lives as long as the agency's policy
allows.  Only `found`, `not_found` and `ambiguous` are cached.  If the database is unavailable, the agency is asked.

Replies are encoded as JSON without what the audit log keeps of them: raw bytes and raw elements.  The capability is
found again by its name.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, get_args
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from adapters.call_policy import AgencyPolicy
from adapters.contract import Adapter, AnswerEvidence, Interpretation
from adapters.mapping import FieldOrigin, RecordWithOrigins
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.database.batching import TextArray
from gateway.field_encryption import DecryptionFailed, FieldEncryption
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion
from schemas.codes import AnswerState, Reason
from schemas.identifiers import Authority
from schemas.records import Record

_READ: Final = """
    SELECT grant_id::text, agency, capability, lookup, answered_at, sealed
    FROM received_answer WHERE grant_id = ANY (%s::text[]::uuid[]) AND expires_at > now()
"""
_INSERT: Final = """
    INSERT INTO received_answer AS r (grant_id, agency, capability, lookup, answered_at, expires_at, sealed)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (grant_id, agency, capability) DO UPDATE SET
        lookup = excluded.lookup, answered_at = excluded.answered_at, expires_at = excluded.expires_at,
        sealed = excluded.sealed
    WHERE r.answered_at <= excluded.answered_at
"""
_DELETE_EXPIRED: Final = """
    DELETE FROM received_answer WHERE (grant_id, agency, capability) IN (
        SELECT grant_id, agency, capability FROM received_answer WHERE expires_at < now()
        LIMIT 100 FOR UPDATE SKIP LOCKED
    )
"""

Key = tuple[str, str]


class _Row(NamedTuple):
    lookup: UUID
    answered_at: datetime
    sealed: bytes


class AnswerCache:
    """
    The fresh answers of all grants.  Writing is not waited for; `aclose` finishes it.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        agencies: Mapping[str, Adapter],
        policies: Mapping[str, AgencyPolicy],
    ) -> None:
        self._encryption = encryption
        self._agencies = agencies
        self._fresh_for = {
            (agency, capability): call.fresh_for
            for agency, policy in policies.items()
            for capability, call in policy.calls.items()
            if call.fresh_for > 0
        }
        self._reads = batching.BatchedStatement(database, _read)
        self._writes = batching.BatchedStatement(database, _write, options="-c synchronous_commit=off")
        self._writing: set[asyncio.Task[None]] = set()

    async def get(
        self, grant: str, planned: Iterable[PlannedQuestion], now: datetime, max_age: int | None
    ) -> dict[Key, AgencyReply]:
        """
        The fresh answers of this grant by agency and capability, none older than `max_age` seconds if that is given.
        """
        keys = [question.key for question in planned if question.key in self._fresh_for]
        if not keys or max_age == 0:
            return {}
        rows: Mapping[Key, _Row] | None = None
        with contextlib.suppress(DatabaseUnavailable):
            rows = await self._reads.run(grant)
        cached = {}
        for key in keys:
            row = (rows or {}).get(key)
            if row is None or (max_age is not None and now - row.answered_at > timedelta(seconds=max_age)):
                continue
            reply = self._open(grant, key, row)
            if reply is not None:
                cached[key] = replace(reply, reused_from=row.lookup, evidence=AnswerEvidence())
        return cached

    def put(self, grant: str, lookup: UUID, replies: Iterable[AgencyReply]) -> None:
        """Stores the new answers in the background."""
        for reply in replies:
            key = (reply.agency, reply.capability.name)
            if reply.reading is None or reply.reused_from is not None or key not in self._fresh_for:
                continue
            expires_at = reply.answered_at + timedelta(seconds=self._fresh_for[key])
            sealed = self._encryption.seal(_context(grant, key), dump_reply(reply))
            row = (grant, *key, lookup, reply.answered_at, expires_at, sealed)
            # The event loop itself has only weak references to tasks.
            task = asyncio.create_task(self._write(row))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """Finishes the writes and closes the connections."""
        await asyncio.gather(*self._writing)
        await self._reads.aclose()
        await self._writes.aclose()

    def _open(self, grant: str, key: Key, row: _Row) -> AgencyReply | None:
        """The reply; None if this version cannot read the entry, or if it was changed: then the agency is asked."""
        with contextlib.suppress(DecryptionFailed, ValidationError):
            return load_reply(self._encryption.open(_context(grant, key), row.sealed), self._agencies)
        return None

    async def _write(self, row: tuple[Any, ...]) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            await self._writes.run(row)


async def _read(connection: batching.Connection, grants: list[str]) -> dict[str, dict[Key, _Row]]:
    cursor = await connection.execute(_READ, (TextArray(grants),))
    rows: dict[str, dict[Key, _Row]] = {}
    for grant, agency, capability, *row in await cursor.fetchall():
        rows.setdefault(grant, {})[agency, capability] = _Row(*row)
    return rows


async def _write(connection: batching.Connection, rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], bool]:
    for row in rows:
        await connection.execute(_INSERT, row)
    await connection.execute(_DELETE_EXPIRED)
    return dict.fromkeys(rows, True)


def _context(grant: str, key: Key) -> str:
    return "|".join(("received", grant, *key))


_RECORDS: Final = {record.__name__: TypeAdapter(record) for record in get_args(Record)}


class _StoredRecord(BaseModel, hide_input_in_errors=True):
    type: str
    fields: bytes
    paths: dict[str, str]


class _StoredReading(BaseModel, hide_input_in_errors=True):
    state: AnswerState
    answered_at: datetime
    records: tuple[_StoredRecord, ...]
    reason: Reason | None
    reference: str | None
    drift: tuple[str, ...]


class _StoredReply(BaseModel, hide_input_in_errors=True):
    agency: str
    capability: str
    state: AnswerState
    asked_at: datetime
    answered_at: datetime
    reason: Reason | None
    retry_after: float | None
    authority: Authority | None
    attempts: int
    reading: _StoredReading | None
    reused_from: UUID | None = None


def dump_reply(reply: AgencyReply) -> bytes:
    """The reply as JSON."""
    reading = reply.reading
    stored = None if reading is None else _StoredReading(
        state=reading.state,
        answered_at=reading.answered_at,
        records=tuple(_stored_record(record) for record in reading.records),
        reason=reading.reason,
        reference=reading.reference,
        drift=reading.drift,
    )  # fmt: skip
    document = _StoredReply(
        agency=reply.agency,
        capability=reply.capability.name,
        state=reply.state,
        asked_at=reply.asked_at,
        answered_at=reply.answered_at,
        reason=reply.reason,
        retry_after=reply.retry_after,
        authority=reply.authority,
        attempts=reply.evidence.attempts,
        reading=stored,
        reused_from=reply.reused_from,
    )
    return document.model_dump_json().encode()


def load_reply(document: bytes, agencies: Mapping[str, Adapter]) -> AgencyReply | None:
    """The reply that `dump_reply` wrote; None if this installation no longer has its capability."""
    stored = _StoredReply.model_validate_json(document)
    adapter = agencies.get(stored.agency)
    capability = None if adapter is None else adapter.capabilities.get(stored.capability)
    if capability is None:
        return None
    reading = None if stored.reading is None else Interpretation(
        state=stored.reading.state,
        answered_at=stored.reading.answered_at,
        records=tuple(
            RecordWithOrigins(
                record=_RECORDS[record.type].validate_json(record.fields),
                origins={name: FieldOrigin(path=path, raw="") for name, path in record.paths.items()},
            )
            for record in stored.reading.records
        ),
        reason=stored.reading.reason,
        reference=stored.reading.reference,
        drift=stored.reading.drift,
    )  # fmt: skip
    return AgencyReply(
        agency=stored.agency,
        capability=capability,
        state=stored.state,
        asked_at=stored.asked_at,
        answered_at=stored.answered_at,
        reason=stored.reason,
        reading=reading,
        retry_after=stored.retry_after,
        authority=stored.authority,
        evidence=AnswerEvidence(attempts=stored.attempts),
        reused_from=stored.reused_from,
    )


def _stored_record(record: RecordWithOrigins) -> _StoredRecord:
    name = type(record.record).__name__
    paths = {field: origin.path for field, origin in record.origins.items()}
    return _StoredRecord(type=name, fields=_RECORDS[name].dump_json(record.record), paths=paths)
