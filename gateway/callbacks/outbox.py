"""
The outbox: messages to receivers, entered in the transaction of the sender's own change.

A delivery's bytes are fixed when it is entered, under an id that every attempt repeats: a receiver may see one delivery
several times, and never two contents of one.  Whoever enters deliveries is a `Deliverable`: right before the body
leaves, the sender asks it to hold the right open, and tells it afterwards how the delivery ended.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import insert

from gateway.callbacks.states import DeliveryState
from gateway.database.tables import callback_delivery
from gateway.field_encryption import FieldEncryption

MEDIA_TYPE: Final = "application/cloudevents+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundDelivery:
    """
    One delivery as the sender holds it.  `id` is its webhook-id, `subject` an id of the deliverable's own; `version`
    is that of this claim.
    """

    id: str
    court: str
    client: str
    receiver: str
    event_type: str
    subject: str
    attempts: int
    version: int
    created_at: datetime
    deadline: datetime
    body: bytes = field(repr=False, default=b"")


class HeldRight(Protocol):
    """A right that cannot end while it is held, as `gateway.database.locks.Lease`."""

    @property
    def valid(self) -> bool:
        """Whether it cannot have ended meanwhile."""

    def release(self) -> None:
        """Lets endings go on.  Safe to repeat."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The body may leave while all of these are held; the sender gives them back."""

    leases: Sequence[HeldRight]

    @property
    def valid(self) -> bool:
        """Whether every right is still held."""
        return all(lease.valid for lease in self.leases)

    def release(self) -> None:
        """Gives every right back.  Safe to repeat."""
        for lease in self.leases:
            lease.release()


@dataclass(frozen=True, slots=True)
class Stop:
    """The right has ended, by this rule: nothing is sent, and the delivery is cancelled."""

    reason: str


class Deliverable(Protocol):
    """
    Who enters deliveries of one family of event types.
    """

    async def release(self, delivery: OutboundDelivery) -> Permit | Stop:
        """
        The right to send this body now.

        MUST hold the leases of everything that the body tells of, and MUST have recorded the release in the audit log
        before it returns a permit.  Raises `DatabaseUnavailable`, `AuditUnavailable`: then the attempt is made later.
        """

    def ended(
        self, connection: Connection, delivery: OutboundDelivery, state: DeliveryState, reason: str | None, at: datetime
    ) -> None:
        """
        Takes note, in the transaction that ends the delivery.  Called once for every ending; after a `resend` the same
        delivery ends again.
        """

    def resumed(self, connection: Connection, delivery: OutboundDelivery) -> bool:
        """
        Takes note, in the transaction that takes a dead letter up again; False if there is nothing to send any more.
        """


class Outbox:
    """
    Where deliveries are entered and withdrawn.  Every method is a part of the caller's transaction.
    """

    def __init__(self, encryption: FieldEncryption) -> None:
        self._encryption = encryption

    def enqueue(
        self,
        connection: Connection,
        *,
        court: str,
        client: str,
        receiver: str,
        event_type: str,
        subject: str,
        webhook_id: str,
        data: Mapping[str, Any],
        at: datetime,
        deadline: datetime,
    ) -> None:
        """
        Enters a delivery: `data` in a CloudEvent (1.0, structured mode), to be sent until `deadline`.

        Under an id that was entered before nothing changes: the first content stands.  `receiver` was found by
        `receivers.named` when the request was accepted; one that was removed since makes a dead letter.
        """
        body = json.dumps(
            {
                "specversion": "1.0",
                "id": webhook_id,
                "source": f"/courts/{quote(court)}",
                "type": event_type,
                "subject": subject,
                "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": data,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        row = {
            "id": webhook_id,
            "court": court,
            "client": client,
            "receiver": receiver,
            "event_type": event_type,
            "subject": subject,
            "sealed": self._encryption.seal(context(webhook_id), body),
            "state": DeliveryState.WAITING.value,
            "attempts": 0,
            "version": 0,
            "claimed": False,
            "due_at": at,
            "deadline": deadline,
            "created_at": at,
        }
        connection.execute(insert(callback_delivery).values(row).on_conflict_do_nothing(index_elements=["id"]))

    def cancel(self, connection: Connection, *, court: str, subjects: Sequence[str], at: datetime) -> list[str]:
        """
        Withdraws what is waiting for these subjects; the subjects of which a delivery is on its way at this moment.

        Of those the sender tells the ending: delivered if the receiver has taken it, cancelled if not.  For the others
        nothing is told: the caller who withdraws knows.
        """
        asked = {"court": court, "subjects": list(subjects), "at": at}
        connection.execute(_CANCEL, asked)
        return list(connection.execute(_ON_ITS_WAY, asked).scalars())


def context(webhook_id: str) -> str:
    """Where a sealed body belongs."""
    return f"callback|{webhook_id}"


# A claimed one may have been taken by its receiver already; only its sender can tell.
_CANCEL: Final = text("""
    UPDATE callback_delivery
    SET state = 'cancelled', reason = 'withdrawn', ended_at = :at, version = version + 1, sealed = ''
    WHERE court = :court AND subject = ANY(:subjects) AND state = 'waiting' AND NOT claimed
""").bindparams(bindparam("subjects"))
_ON_ITS_WAY: Final = text("""
    SELECT DISTINCT subject FROM callback_delivery
    WHERE court = :court AND subject = ANY(:subjects) AND state = 'waiting'
""")
