"""
Which replica sends what, decided by PostgreSQL: plain functions over a connection, each a part of one transaction.

A claim lasts `CLAIM` and is renewed by whoever is at it; whoever dies with one is followed by another.  Every claim
raises the delivery's version, and only the holder of the newest version can say how it ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select, text, tuple_, update

from gateway.callbacks.outbox import OutboundDelivery
from gateway.callbacks.receivers import Receiver, receiver_of
from gateway.callbacks.states import DeliveryState, Failure
from gateway.database.tables import callback_delivery, callback_receiver

# Short, since the claims of the dead take up room at their receiver.
CLAIM: Final = timedelta(seconds=10)
# At once to one receiver, from all replicas together: a slow one holds up itself alone.
PER_RECEIVER: Final = 8

Ended = Callable[[Connection, OutboundDelivery, DeliveryState, str | None, datetime], None]

_d, _r = callback_delivery.c, callback_receiver.c
_NAMES: Final = tuple(field.name for field in fields(OutboundDelivery) if field.name != "body")

# Held until the commit, so that two replicas never count the same room at a receiver.
_RECEIVERS: Final = text("""
    SELECT r.court, r.name FROM callback_receiver r
    WHERE r.state IN ('active', 'removed') AND EXISTS (
        SELECT FROM callback_delivery d
        WHERE d.court = r.court AND d.receiver = r.name AND d.state = 'waiting' AND d.due_at <= :now)
    ORDER BY r.court, r.name FOR UPDATE OF r SKIP LOCKED
""")
_CLAIM: Final = text("""
    WITH busy AS (
        SELECT court, receiver, count(*) AS n FROM callback_delivery WHERE claimed AND due_at > :now GROUP BY 1, 2
    ), mine AS (
        SELECT due.id FROM unnest(CAST(:courts AS text[]), CAST(:names AS text[])) AS r (court, name)
        LEFT JOIN busy ON busy.court = r.court AND busy.receiver = r.name
        CROSS JOIN LATERAL (
            SELECT d.id, d.due_at FROM callback_delivery d
            WHERE d.court = r.court AND d.receiver = r.name AND d.state = 'waiting' AND d.due_at <= :now
            ORDER BY d.due_at LIMIT greatest(:per_receiver - coalesce(busy.n, 0), 0) FOR UPDATE SKIP LOCKED
        ) AS due
        ORDER BY due.due_at LIMIT :most
    )
    UPDATE callback_delivery AS d
    SET claimed = true, due_at = :until, version = version + 1, attempts = attempts + 1
    FROM mine WHERE d.id = mine.id RETURNING d.id
""")
_RENEW: Final = text("""
    UPDATE callback_delivery AS d SET due_at = :until
    FROM unnest(CAST(:ids AS text[]), CAST(:versions AS bigint[])) AS mine (id, version)
    WHERE d.id = mine.id AND d.version = mine.version AND d.claimed
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send, its body still sealed, and whom it is for."""

    delivery: OutboundDelivery
    receiver: Receiver
    sealed: bytes


def claim(connection: Connection, now: datetime, most: int, per_receiver: int = PER_RECEIVER) -> list[Claimed]:
    """Takes up to `most` deliveries that are due, the longest due first."""
    places = connection.execute(_RECEIVERS, {"now": now}).all()
    if not places:
        return []
    asked = {
        "now": now,
        "until": now + CLAIM,
        "courts": [place.court for place in places],
        "names": [place.name for place in places],
        "per_receiver": per_receiver,
        "most": most,
    }
    ids = list(connection.execute(_CLAIM, asked).scalars())
    rows = connection.execute(select(callback_delivery).where(_d.id.in_(ids)).order_by(_d.created_at, _d.id)).all()
    wanted = {(row.court, row.receiver) for row in rows}
    found = connection.execute(select(callback_receiver).where(tuple_(_r.court, _r.name).in_(wanted)))
    receivers = {(row.court, row.name): receiver_of(row) for row in found}
    return [Claimed(delivery_of(row), receivers[row.court, row.receiver], bytes(row.sealed)) for row in rows]


def renew(connection: Connection, now: datetime, held: Sequence[OutboundDelivery]) -> None:
    """Keeps the claims of deliveries that are still on their way."""
    if held:
        names = {"ids": [one.id for one in held], "versions": [one.version for one in held]}
        connection.execute(_RENEW, names | {"until": now + CLAIM})


def settle(
    connection: Connection,
    delivery: OutboundDelivery,
    state: DeliveryState,
    reason: str | None,
    at: datetime,
    ended: Ended,
) -> bool:
    """
    Ends a claimed delivery and tells its deliverable; False if the claim is no longer ours, and nothing was written.
    """
    values: dict[str, Any] = {"state": state.value, "reason": reason, "claimed": False, "ended_at": at}
    if state is not DeliveryState.DEAD_LETTERED:
        # It is not sent again.
        values["sealed"] = b""
    if not _written(connection, delivery, values):
        return False
    ended(connection, delivery, state, reason, at)
    return True


def postpone(connection: Connection, delivery: OutboundDelivery, reason: Failure, due_at: datetime) -> bool:
    """Gives a claimed delivery back until `due_at`; False if the claim is no longer ours."""
    return _written(connection, delivery, {"reason": reason.value, "claimed": False, "due_at": due_at})


def overdue(connection: Connection, now: datetime, most: int, ended: Ended) -> int:
    """Gives up what is past its deadline, whatever became of its receiver; how many these were."""
    query = (
        select(callback_delivery)
        .where(_d.state == DeliveryState.WAITING.value, _d.deadline <= now, or_(~_d.claimed, _d.due_at <= now))
        .order_by(_d.deadline)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    for row in rows:
        reason = row.reason or Failure.OVERDUE.value
        settle(connection, delivery_of(row), DeliveryState.DEAD_LETTERED, reason, now, ended)
    return len(rows)


def delivery_of(row: Row[Any]) -> OutboundDelivery:
    """A delivery as its row tells, without its body."""
    said = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for the row as a mapping
    return OutboundDelivery(**{name: said[name] for name in _NAMES})


def _written(connection: Connection, delivery: OutboundDelivery, values: dict[str, Any]) -> bool:
    ours = (_d.id == delivery.id) & (_d.version == delivery.version) & (_d.state == DeliveryState.WAITING.value)
    return bool(connection.execute(update(callback_delivery).where(ours).values(values)).rowcount)
