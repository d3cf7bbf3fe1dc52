"""
One claimed delivery from its sealed body to the line that says how it ended.
"""

import contextlib
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from audit.errors import AuditUnavailable
from gateway.callbacks.address_policy import AddressRefused, Lookup, checked, pinned
from gateway.callbacks.backoff import next_attempt
from gateway.callbacks.claiming import Claimed, Ended, postpone, settle
from gateway.callbacks.outbox import MEDIA_TYPE, Deliverable, OutboundDelivery, Stop, context
from gateway.callbacks.receivers import Receiver, Receivers, secrets_of
from gateway.callbacks.states import DeliveryState, Failure, ReceiverState
from gateway.callbacks.transport import AttemptOutcome, GrantEnded, GuardedTransport, attempt
from gateway.database import Database, DatabaseUnavailable
from gateway.field_encryption import DecryptionFailed, FieldEncryption

_FAILURES: Final[Mapping[type[Exception], Failure]] = {
    DecryptionFailed: Failure.UNREADABLE,
    AddressRefused: Failure.ADDRESS_FORBIDDEN,
    OSError: Failure.UNREACHABLE,
    DatabaseUnavailable: Failure.LEASE_LOST,
    AuditUnavailable: Failure.LEASE_LOST,
}


class DeliveryAttempts:
    """
    Runs errands for one sender.  Holds no state of its own.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        receivers: Receivers,
        *,
        clock: Callable[[], datetime],
        lookup: Lookup | None,
        tls: ssl.SSLContext,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._receivers = receivers
        self._clock = clock
        self._lookup = lookup
        self._tls = tls

    async def run(self, claimed: Claimed, deliverable: Deliverable | None, ended: Ended) -> None:
        """
        Makes one attempt and writes down what came of it.  The right is given back after that, so that whoever ends
        it finds the delivery ended; what cannot be written down is sent once more when the claim has run out.
        """
        gate: GuardedTransport | None = None
        try:
            if claimed.receiver.state is ReceiverState.REMOVED:
                outcome: AttemptOutcome | Stop = AttemptOutcome(Failure.RECEIVER_REMOVED)
            elif deliverable is None:
                outcome = AttemptOutcome(Failure.UNKNOWN_TYPE)
            else:
                owner, delivery = deliverable, claimed.delivery
                gate = GuardedTransport(lambda: owner.release(delivery))
                outcome = await self._attempted(claimed, gate)
            with contextlib.suppress(DatabaseUnavailable):
                await self._database.run(self._written, claimed.delivery, outcome, ended)
        finally:
            if gate is not None:
                gate.close()
        if isinstance(outcome, AttemptOutcome) and outcome.failure is Failure.GONE:
            with contextlib.suppress(AuditUnavailable, DatabaseUnavailable):
                await self._receivers.gone(claimed.receiver)

    async def _attempted(self, claimed: Claimed, gate: GuardedTransport) -> AttemptOutcome | Stop:
        delivery, receiver = claimed.delivery, claimed.receiver
        try:
            body = self._encryption.open(context(delivery.id), claimed.sealed)
            url = checked(receiver.url, internal=receiver.internal)
            address = await pinned(url, internal=receiver.internal, lookup=self._lookup)
            headers = self._headers(receiver, delivery, body)
            return await attempt(url, address, headers, body, gate, self._tls, self._clock())
        except GrantEnded as stopped:
            return Stop(stopped.reason)
        except Exception as error:  # noqa: BLE001 - what meets a defect of ours waits like any other, and is seen
            failures = (failure for kind, failure in _FAILURES.items() if isinstance(error, kind))
            return AttemptOutcome(next(failures, Failure.INTERNAL))

    def _headers(self, receiver: Receiver, delivery: OutboundDelivery, body: bytes) -> dict[str, str]:
        now = self._clock()
        return {
            "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
            "User-Agent": "Shuniu",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": secrets_of(self._encryption, receiver).signatures(delivery.id, now, body),
        }

    def _written(
        self, connection: Connection, delivery: OutboundDelivery, outcome: AttemptOutcome | Stop, ended: Ended
    ) -> None:
        now = self._clock()
        if isinstance(outcome, Stop):
            settle(connection, delivery, DeliveryState.CANCELLED, outcome.reason, now, ended)
            return
        if outcome.failure is None:
            settle(connection, delivery, DeliveryState.DELIVERED, None, now, ended)
            return
        again = next_attempt(
            outcome.failure,
            attempts=delivery.attempts,
            now=now,
            deadline=delivery.deadline,
            retry_after=outcome.retry_after,
        )
        if again is None:
            settle(connection, delivery, DeliveryState.DEAD_LETTERED, outcome.failure.value, now, ended)
        else:
            postpone(connection, delivery, outcome.failure, again)
