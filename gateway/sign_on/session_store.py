"""
The statements of sessions: each is one transaction, read fresh for every call.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, delete, func, insert, or_, select, update

from gateway.database import batching
from gateway.sign_on.tables import session

# A sign-in ends at most so many expired sessions; the next one takes the rest.
MAX_EXPIRED = 20

READ = "SELECT id, exchange, address, caller, started_at, seen_at, ends_at, ended FROM session WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session now; `address` is a blind index, `caller` is encrypted."""

    id: bytes
    exchange: UUID
    address: bytes = field(repr=False)
    caller: bytes = field(repr=False)
    started_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended: str | None


async def rows(connection: batching.Connection, ids: list[bytes]) -> dict[bytes, SessionRow]:
    """The sessions of these ids, as far as they exist."""
    cursor = await connection.execute(READ, (ids,), binary=True)
    return {row[0]: SessionRow(*row) for row in await cursor.fetchall()}


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Adds a session."""
    connection.execute(insert(session).values(row))


def note_use(connection: Connection, digest: bytes, now: datetime) -> None:
    """Notes the use of a session; one that has ended meanwhile stays ended."""
    connection.execute(
        update(session)
        .where(session.c.id == digest, session.c.ended.is_(None))
        .values(seen_at=func.greatest(session.c.seen_at, now))
    )


def end(connection: Connection, digest: bytes, how: str) -> SessionRow | None:
    """Ends a session for every replica; None if there is none, or it has ended before."""
    ended = connection.execute(
        update(session).where(session.c.id == digest, session.c.ended.is_(None)).values(ended=how).returning(*session.c)
    ).one_or_none()
    return None if ended is None else SessionRow(*ended)


def end_expired(connection: Connection, now: datetime, idle_since: datetime) -> list[SessionRow]:
    """Ends expired sessions; returns them, with those that ended before and are not recorded yet."""
    over = or_(session.c.ended.is_not(None), session.c.ends_at <= now, session.c.seen_at <= idle_since)
    some = select(session.c.id).where(over).limit(MAX_EXPIRED).with_for_update(skip_locked=True)
    how = func.coalesce(session.c.ended, case((session.c.ends_at <= now, "expired"), else_="idle"))
    ended = connection.execute(
        update(session).where(session.c.id.in_(some)).values(ended=how).returning(*session.c)
    ).all()
    return [SessionRow(*row) for row in ended]


def remove(connection: Connection, digest: bytes) -> None:
    """Removes a session that has ended; its end stands in the audit log."""
    connection.execute(delete(session).where(session.c.id == digest, session.c.ended.is_not(None)))
