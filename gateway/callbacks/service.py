"""
The callbacks of one hub, put together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from audit.store.log import Log
from gateway.callbacks.delivery_admin import DeliveryAdmin
from gateway.callbacks.dispatcher import Dispatcher
from gateway.callbacks.outbox import Outbox
from gateway.callbacks.ping import FAMILY, Pings
from gateway.callbacks.receivers import Receivers
from gateway.database import Database
from gateway.field_encryption import FieldEncryption


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """
    Who has something to tell enters it in the `outbox`, and is made known to the `sender` by `sender.serve`.
    """

    outbox: Outbox
    receivers: Receivers
    sender: Dispatcher
    deliveries: DeliveryAdmin
    trials: Pings

    @classmethod
    def of(
        cls, database: Database, encryption: FieldEncryption, log: Log, *, at_once: int, clock: Callable[[], datetime]
    ) -> Self:
        """Everything, and nothing sent before `sender.start`."""
        outbox = Outbox(encryption)
        receivers = Receivers(database, encryption, log, clock=clock)
        sender = Dispatcher(database, encryption, receivers, at_once=at_once, clock=clock)
        trials = Pings(database, outbox, clock=clock)
        sender.serve(FAMILY, trials)
        deliveries = DeliveryAdmin(database, log, sender.of, clock=clock)
        return cls(outbox=outbox, receivers=receivers, sender=sender, deliveries=deliveries, trials=trials)

    async def aclose(self) -> None:
        """Stops sending."""
        await self.sender.aclose()
