"""
The ends of requests outside a run: cancelled with their work order, delivered or dead-lettered; and the deletion of
what has expired.
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
    """The unfinished requests of lower versions of a work order."""
    parameters = {"court": court, "work_order": work_order, "version": version}
    return list(connection.execute(_OPEN_OF_ORDER, parameters).scalars())


def cancel(connection: Connection, requests: list[UUID], reason: FormEnding, at: datetime) -> list[UUID]:
    """Cancels requests that are not delivered, fences off their runs, and returns those that this call ended."""
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
    """Stores how the delivery of a filled form ended, or that it is repeated (`filled`)."""
    before = [RequestState.FILLED.value] if state is not RequestState.FILLED else [RequestState.DEAD_LETTERED.value]
    row = {"id": request, "state": state.value, "reason": reason, "at": at, "before": before}
    return bool(connection.execute(_DELIVERY, row).rowcount)


_UNRECORDED: Final = text("""
    SELECT id FROM autofill WHERE state IN ('cancelled', 'dead_lettered') AND ended_index IS NULL
    ORDER BY id LIMIT :most
""")
_RECORDED: Final = text("UPDATE autofill SET ended_index = :index WHERE id = :id AND state = :state")


def unrecorded(connection: Connection, most: int = 50) -> list[StoredRequest]:
    """Requests whose end is not in the audit log yet."""
    ids = list(connection.execute(_UNRECORDED, {"most": most}).scalars())
    return [request for request_id in ids if (request := read(connection, request_id)) is not None]


def recorded(connection: Connection, request: StoredRequest, index: int) -> None:
    """Stores the index of the audit record of the end."""
    connection.execute(_RECORDED, {"id": request.id, "index": index, "state": request.state.value})


_EXPIRED: Final = (
    text("UPDATE autofill SET sealed = NULL WHERE sealed IS NOT NULL AND ended_at < :before"),
    text("DELETE FROM idempotency WHERE created_at < :keys_before"),
    text("DELETE FROM pgqueuer_log WHERE created < :keys_before AND aggregated"),
)


def delete_expired(connection: Connection, now: datetime, *, results: timedelta, keys: timedelta) -> None:
    """Deletes filled forms, idempotency keys and entries of the queue's own log that have expired."""
    for statement in _EXPIRED:
        connection.execute(statement, {"before": now - results, "keys_before": now - keys})
