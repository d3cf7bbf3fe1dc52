"""
What a grant received already, and is fresh enough, is not asked again: it is released again, marked with its age.

Kept sealed under the grant, so that it never serves another work order, and no longer than the agency's policy says;
only answers in which the agency was heard.  A database that is away costs a question, never an answer.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from adapters.call_policy import AgencyPolicy
from adapters.contract import Adapter, AnswerEvidence
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.database.batching import TextArray
from gateway.field_encryption import DecryptionFailed, FieldEncryption
from gateway.lookup import answer_codec as codec
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion

_READ: Final = """
    SELECT grant_id::text, agency, capability, lookup, answered_at, sealed
    FROM received_answer WHERE grant_id = ANY (%s::text[]::uuid[]) AND expires_at > now()
"""
_KEEP: Final = """
    INSERT INTO received_answer AS r (grant_id, agency, capability, lookup, answered_at, expires_at, sealed)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (grant_id, agency, capability) DO UPDATE SET
        lookup = excluded.lookup, answered_at = excluded.answered_at, expires_at = excluded.expires_at,
        sealed = excluded.sealed
    WHERE r.answered_at <= excluded.answered_at
"""
_FORGET: Final = """
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
    The fresh answers of all grants.
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
        The answers of this grant that need not be asked for, by agency and capability; none is older than `max_age`
        seconds, where that is given.
        """
        wanted = [key for one in planned if (key := (one.agency, one.capability.name)) in self._fresh_for]
        if not wanted or max_age == 0:
            return {}
        rows: Mapping[Key, _Row] | None = None
        with contextlib.suppress(DatabaseUnavailable):
            rows = await self._reads.run(grant)
        found = {}
        for key in wanted:
            row = (rows or {}).get(key)
            if row is None or (max_age is not None and now - row.answered_at > timedelta(seconds=max_age)):
                continue
            answer = self._opened(grant, key, row)
            if answer is not None:
                found[key] = replace(answer, reused_from=row.lookup, evidence=AnswerEvidence())
        return found

    def put(self, grant: str, lookup: UUID, answers: Iterable[AgencyReply]) -> None:
        """Keeps what was just heard; nobody waits for that."""
        for answer in answers:
            key = (answer.agency, answer.capability.name)
            if answer.reading is None or answer.reused_from is not None or key not in self._fresh_for:
                continue
            expires_at = answer.answered_at + timedelta(seconds=self._fresh_for[key])
            sealed = self._encryption.seal(_context(grant, key), codec.dump(answer))
            row = (grant, *key, lookup, answer.answered_at, expires_at, sealed)
            # Held here, or nobody would hold it.
            task = asyncio.create_task(self._write(row))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """Writes what is still to be written and gives the connections back."""
        await asyncio.gather(*self._writing)
        await self._reads.aclose()
        await self._writes.aclose()

    def _opened(self, grant: str, key: Key, row: _Row) -> AgencyReply | None:
        """The answer; None if this version cannot read it, or it is not what was kept: then the agency is asked."""
        with contextlib.suppress(DecryptionFailed, ValidationError):
            return codec.load(self._encryption.open(_context(grant, key), row.sealed), self._agencies)
        return None

    async def _write(self, row: tuple[Any, ...]) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            await self._writes.run(row)


async def _read(connection: batching.Connection, grants: list[str]) -> dict[str, dict[Key, _Row]]:
    found = await connection.execute(_READ, (TextArray(grants),))
    rows: dict[str, dict[Key, _Row]] = {}
    for grant, agency, capability, *row in await found.fetchall():
        rows.setdefault(grant, {})[agency, capability] = _Row(*row)
    return rows


async def _write(connection: batching.Connection, rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], bool]:
    for row in rows:
        await connection.execute(_KEEP, row)
    await connection.execute(_FORGET)
    return dict.fromkeys(rows, True)


def _context(grant: str, key: Key) -> str:
    return "|".join(("received", grant, *key))
