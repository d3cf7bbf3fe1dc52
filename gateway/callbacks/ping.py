"""
A test delivery: shows an administrator, and the receiver's own people, that it is reached and checks signatures.

It holds no personal data, so no right is held for it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from gateway.callbacks.outbox import OutboundDelivery, Outbox, Permit, Stop
from gateway.callbacks.receivers import Receiver
from gateway.callbacks.states import DeliveryState
from gateway.database import Database

FAMILY: Final = "cn.shuniu.receiver."
EVENT_TYPE: Final = f"{FAMILY}tried.v1"
LASTS: Final = timedelta(hours=1)


class Pings:
    """Enters test deliveries, and lets every one of them go."""

    def __init__(
        self, database: Database, outbox: Outbox, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    async def enter(self, receiver: Receiver) -> str:
        """A test delivery to this receiver; its webhook-id.  Raises `DatabaseUnavailable`."""
        webhook_id = f"trial-{uuid4()}"
        await self._database.run(self._entered, receiver, webhook_id)
        return webhook_id

    async def release(self, delivery: OutboundDelivery) -> Permit | Stop:  # noqa: ARG002 - every one may go
        """Nobody's right is needed."""
        return Permit(())

    def ended(
        self, connection: Connection, delivery: OutboundDelivery, state: DeliveryState, reason: str | None, at: datetime
    ) -> None:
        """Nothing else depends on it."""

    def resumed(self, connection: Connection, delivery: OutboundDelivery) -> bool:  # noqa: ARG002 - every one may go again
        """It may be sent again."""
        return True

    def _entered(self, connection: Connection, receiver: Receiver, webhook_id: str) -> None:
        at = self._clock()
        self._outbox.enqueue(
            connection,
            court=receiver.court,
            client=receiver.client,
            receiver=receiver.name,
            event_type=EVENT_TYPE,
            subject=receiver.name,
            webhook_id=webhook_id,
            data={"receiver": receiver.name},
            at=at,
            deadline=at + LASTS,
        )
