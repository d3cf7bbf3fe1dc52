"""
What sessions leave in the audit log.  The network address of the browser is sealed with the person.
"""

from datetime import datetime
from uuid import UUID

from audit.format.event import Event, EventType, is_fit_for_clear
from gateway.sign_on.caller import Caller
from gateway.sign_on.sign_in import SignedIn

# What the sign-on server calls its classes and methods stands in clear only if it is short and plain.
LONGEST_WORD = 200


def session_signed_in(exchange: UUID, at: datetime, signed_in: SignedIn, address: str) -> Event:
    """Before the session works: who signed in, how strongly, and from where."""
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
    """After a session has ended: `how` is `signed_out`, `replaced`, `idle`, `expired` or `moved`."""
    return Event(
        type=EventType.SESSION_ENDED,
        exchange=exchange,
        at=at,
        who=caller.actor(terminal=address),
        outcome="ended",
        detail={"how": how},
    )


def _word(word: str) -> str:
    return (word or "not stated") if len(word) <= LONGEST_WORD and is_fit_for_clear(word) else "not plain"
