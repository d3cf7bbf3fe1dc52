"""
Requests that end without a run of theirs: cancelled with their work order, delivered or laid aside by the sender; and
what is forgotten when its time is over.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from gateway.autofill.states import FormEnding, RequestState
from gateway.autofill.store import FORGET, WAKE, StoredRequest, read

_OPEN_OF_ORDER: Final = text("""
    SELECT id FROM autofill WHERE court = :court AND work_order = :work_order AND version < :version
        AND state IN ('ready', 'delayed', 'queued', 'running', 'filled') ORDER BY id
""")
_CANCEL: Final = text("""
    UPDATE autofill SET state = 'cancelled', reason = :reason, next_at = NULL, ended_at = :at, sealed = NULL,
        ended_index = NULL, fence = fence + 1, revision = revision + 1
    WHERE id = ANY(:ids) AND (state IN ('ready', 'delayed', 'queued', 'running')
        OR (state = 'filled' AND receiver IS NOT NULL))
    RETURNING id
""")


def open_of_order(connection: Connection, court: str, work_order: str, version: int) -> list[UUID]:
    """The requests of a work order, asked at a lower version, that have not come to their end."""
    asked = {"court": court, "work_order": work_order, "version": version}
    return list(connection.execute(_OPEN_OF_ORDER, asked).scalars())


def cancel(connection: Connection, requests: list[UUID], reason: FormEnding, at: datetime) -> list[UUID]:
    """Cancels what has not been delivered; whatever runs is fenced off.  The requests that this ended."""
    ended = list(connection.execute(_CANCEL, {"ids": requests, "reason": reason.value, "at": at}).scalars())
    if ended:
        connection.execute(FORGET, {"ids": ended})
        connection.execute(WAKE)
    return ended


_DELIVERY: Final = text("""
    UPDATE autofill SET state = :state, reason = :reason, ended_index = NULL, ended_at = :at, revision = revision + 1,
        sealed = CASE WHEN :state = 'cancelled' THEN NULL ELSE sealed END
    WHERE id = :id AND state = ANY(:before)
""")


def delivery(connection: Connection, request: UUID, state: RequestState, reason: str | None, at: datetime) -> bool:
    """Notes how the delivery of a filled form ended, or that it is tried anew (`filled`)."""
    before = [RequestState.FILLED.value] if state is not RequestState.FILLED else [RequestState.DEAD_LETTERED.value]
    row = {"id": request, "state": state.value, "reason": reason, "at": at, "before": before}
    return bool(connection.execute(_DELIVERY, row).rowcount)


_UNRECORDED: Final = text("""
    SELECT id FROM autofill WHERE state IN ('cancelled', 'dead_lettered') AND ended_index IS NULL
    ORDER BY id LIMIT :most
""")
_RECORDED: Final = text("UPDATE autofill SET ended_index = :index WHERE id = :id AND state = :state")


def unrecorded(connection: Connection, most: int = 50) -> list[StoredRequest]:
    """Requests whose end does not stand in the log yet."""
    found = list(connection.execute(_UNRECORDED, {"most": most}).scalars())
    return [request for one in found if (request := read(connection, one)) is not None]


def recorded(connection: Connection, request: StoredRequest, index: int) -> None:
    """Notes where the end stands in the log."""
    connection.execute(_RECORDED, {"id": request.id, "index": index, "state": request.state.value})


_OUTLIVED: Final = (
    text("UPDATE autofill SET sealed = NULL WHERE sealed IS NOT NULL AND ended_at < :before"),
    text("DELETE FROM idempotency WHERE created_at < :keys_before"),
    text("DELETE FROM pgqueuer_log WHERE created < :keys_before AND aggregated"),
)


def forget(connection: Connection, now: datetime, *, results: timedelta, keys: timedelta) -> None:
    """Removes filled forms, idempotency keys and the queue's own log when their time is over."""
    for statement in _OUTLIVED:
        connection.execute(statement, {"before": now - results, "keys_before": now - keys})
