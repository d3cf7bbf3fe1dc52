"""
The ticket system's receiver of callbacks: verifies and records them, and answers with faults in given shares.

A genuine callback is recorded before it is answered: one without an acknowledgement comes again, and must then be the
same.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from mock_agencies.exchange import Delivery, MockRequest, MockResponse, ResponseSocket
from mock_agencies.ticket_system.ledger import RECEIVED, REJECTED, CallbackLedger
from shuniu_client import CallbackMalformed, CallbackRejected, CallbackReplayed, verify_callback

SLOW_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class ResponseShares:
    """
    The shares (0 to 1) of callbacks that are answered with 500, after a while, or not at all.
    """

    failing: float = 0.0
    slow: float = 0.0
    dropping: float = 0.0


@dataclass(slots=True)
class CallbackReceiver:
    """
    Answers callbacks.  `secret` is that of the receiver; `taken` holds the ids of accepted ones.
    """

    ledger: CallbackLedger
    secret: str
    shares: ResponseShares = ResponseShares()
    draws: random.Random = field(default_factory=lambda: random.Random(1))
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    taken: set[str] = field(default_factory=set)

    def respond(self, request: MockRequest) -> MockResponse:
        """The answer to one call."""
        if request.method != "POST" or request.path != "/hooks":
            return _said(404)
        try:
            callback = verify_callback(
                request.headers, request.body, self.secret, seen=self.taken.__contains__, clock=self.clock
            )
        except CallbackReplayed:
            self._note(request, again=True)
            return self._well_or_badly(_said(204))
        except CallbackRejected as error:
            self.ledger.write(REJECTED, why=type(error).__name__)
            return _said(400 if isinstance(error, CallbackMalformed) else 401)
        self._note(request, again=False, type=callback.type, subject=callback.subject)
        answer = self._well_or_badly(_said(204))
        if answer.status < 300 and answer.deliver is not _dropped:
            self.taken.add(callback.id)
        return answer

    def _note(self, request: MockRequest, *, again: bool, **details: str) -> None:
        digest = hashlib.sha256(request.body).hexdigest()
        self.ledger.write(RECEIVED, id=request.headers["webhook-id"], digest=digest, again=again, **details)

    def _well_or_badly(self, well: MockResponse) -> MockResponse:
        drawn = self.draws.random()
        shares = self.shares
        if drawn < shares.failing:
            return _said(500)
        if drawn < shares.failing + shares.dropping:
            return _said(204, _dropped)
        if drawn < shares.failing + shares.dropping + shares.slow:
            return _said(204, _slow)
        return well


def _said(status: int, deliver: Delivery | None = None) -> MockResponse:
    return MockResponse(b"", "text/plain", status, deliver=deliver)


async def _dropped(line: ResponseSocket, _wire: bytes) -> None:
    line.reset()


async def _slow(line: ResponseSocket, wire: bytes) -> None:
    await line.pause(SLOW_SECONDS)
    line.write(wire)
