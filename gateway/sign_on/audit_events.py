"""
The audit events of sessions.  The network address of the browser is sealed with the person.
"""

from datetime import datetime
from uuid import UUID

from audit.format.event import Event, EventType, is_fit_for_clear
from gateway.sign_on.caller import Caller
from gateway.sign_on.sign_in import SignedIn

# Names that the sign-on server gives to classes and methods stand in clear only if they are short and plain.
MAX_WORD_LENGTH = 200


def session_signed_in(exchange: UUID, at: datetime, signed_in: SignedIn, address: str) -> Event:
    """Recorded before the session is valid: who signed in, how strongly, and from where."""
    identity = signed_in.identity
    return Event(
        type=EventType.SESSION_SIGNED_IN,
        exchange=exchange,
        at=at,
        who=signed_in.caller.actor(terminal=address),
        outcome="signed_in",
        detail={"acr": _word(identity.acr), "method": _word(",".join(identity.methods))},
    )


def session_ended(exchange: UUID, at: datetime, caller: Caller, how: str, address: str | None) -> Event:
    """Recorded after a session has ended: `how` is `signed_out`, `replaced`, `idle`, `expired` or `moved`."""
    return Event(
        type=EventType.SESSION_ENDED,
        exchange=exchange,
        at=at,
        who=caller.actor(terminal=address),
        outcome="ended",
        detail={"how": how},
    )


def _word(word: str) -> str:
    return (word or "not stated") if len(word) <= MAX_WORD_LENGTH and is_fit_for_clear(word) else "not plain"
