"""
The sender of one hub process: takes what is due, sends it, and writes down how that ended.

Every replica runs one.  What it holds when it dies is sent by another, under the same id and with the same bytes.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from gateway.callbacks.address_policy import Lookup
from gateway.callbacks.claiming import Claimed, claim, overdue, renew
from gateway.callbacks.delivery_attempt import DeliveryAttempts
from gateway.callbacks.outbox import Deliverable, OutboundDelivery
from gateway.callbacks.receivers import Receivers
from gateway.callbacks.states import DeliveryState
from gateway.database import Database, DatabaseUnavailable
from gateway.field_encryption import FieldEncryption

LOOK_EVERY: Final = 1.0
# What is on its way when the hub stops may still end.
DRAIN: Final = 5.0
OVERDUE_AT_ONCE: Final = 100


class Dispatcher:
    """
    Sends up to `at_once` deliveries at a time; with 0 none: other processes send.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        receivers: Receivers,
        *,
        at_once: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._database = database
        self._at_once = at_once
        self._clock = clock
        self._errands = DeliveryAttempts(
            database, encryption, receivers, clock=clock, lookup=lookup, tls=tls or ssl.create_default_context()
        )
        self._deliverables: dict[str, Deliverable] = {}
        self._news = asyncio.Event()
        self._sending: dict[asyncio.Task[None], OutboundDelivery] = {}
        self._looking: asyncio.Task[None] | None = None

    def serve(self, family: str, deliverable: Deliverable) -> None:
        """Sends the events whose type begins with `family` on behalf of `deliverable`."""
        self._deliverables[family] = deliverable

    def of(self, event_type: str) -> Deliverable | None:
        """Who enters events of this type."""
        return next((one for family, one in self._deliverables.items() if event_type.startswith(family)), None)

    def start(self) -> None:
        """Begins to send, until `aclose`."""
        if self._at_once:
            self._looking = asyncio.create_task(self._look())

    def wake(self) -> None:
        """Looks at once: something was entered."""
        self._news.set()

    async def aclose(self) -> None:
        """Takes nothing more, and waits shortly for what is on its way."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=DRAIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def once(self) -> int:
        """
        Takes what is due now and begins to send it; how many these are.  Raises `DatabaseUnavailable`.
        """
        now = self._clock()
        claimed = await self._database.run(self._taken, now, list(self._sending.values()))
        for one in claimed:
            errand = self._errands.run(one, self.of(one.delivery.event_type), self.ended)
            task = asyncio.create_task(errand)
            self._sending[task] = one.delivery
            task.add_done_callback(self._done)
        return len(claimed)

    async def settled(self) -> None:
        """Waits for everything that is on its way."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    def ended(
        self, connection: Connection, delivery: OutboundDelivery, state: DeliveryState, reason: str | None, at: datetime
    ) -> None:
        """Tells the deliverable, in the transaction that ends the delivery."""
        deliverable = self.of(delivery.event_type)
        if deliverable is not None:
            deliverable.ended(connection, delivery, state, reason, at)

    def _taken(self, connection: Connection, now: datetime, held: list[OutboundDelivery]) -> list[Claimed]:
        renew(connection, now, held)
        overdue(connection, now, OVERDUE_AT_ONCE, self.ended)
        free = self._at_once - len(held)
        return claim(connection, now, free) if free > 0 else []

    async def _look(self) -> None:
        while True:
            self._news.clear()
            # A database that is away is asked again; nothing is sent without it.
            with contextlib.suppress(DatabaseUnavailable):
                await self.once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._news.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        # Its place is free for the next.
        self._news.set()
