"""
What a request leaves in the audit log, beside the records of its lookups: accepted, finished, cancelled, laid aside.

The exchange of all of these is the id of the request.  Who asked is the client, and on whose behalf is the holder of
the work order: a ticket system has no right of its own.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.errors import RecordRefused
from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.autofill.states import RequestState
from gateway.autofill.store import StoredRequest
from gateway.lookup.audit_events import question_outcomes, reused
from gateway.lookup.fan_out import AgencyReply
from gateway.sign_on import Caller
from schemas.subject import Subject
from schemas.work_order import PartyStatement, WorkOrderStatement

_ENDS: Final = {
    RequestState.CANCELLED: EventType.AUTOFILL_CANCELLED,
    RequestState.DEAD_LETTERED: EventType.AUTOFILL_DEAD_LETTERED,
}


def on_behalf(request: StoredRequest, statement: WorkOrderStatement) -> Caller:
    """The holder of the work order, for whom the client asks: every decision is about this caller."""
    holder = statement.holder
    return Caller(
        user=holder.user,
        client=request.client,
        court=request.court,
        name=holder.name,
        unit=holder.unit_code,
        scopes=frozenset(),
        expires_at=math.inf,
        token_id=str(request.id),
    )


def subjects(parties: Iterable[PartyStatement]) -> tuple[Subject, ...]:
    """The parties as the log knows them."""
    return tuple(
        Subject(kind=one.kind, id_type=one.id_type, id_number=one.id_number, name=one.name, country=one.country)
        for one in parties
    )


def accepted(request: StoredRequest, whose: Sequence[Subject], at: datetime, policy: str) -> Event:
    """Before any question: a form is about to be filled."""
    return Event(
        type=EventType.AUTOFILL_ACCEPTED,
        exchange=request.id,
        at=at,
        who=_who(request),
        whose=tuple(whose),
        why=request.order.purpose(policy),
        outcome="accepted",
        detail={"template": request.template},
    )


def finished(
    request: StoredRequest,
    whose: Sequence[Subject],
    at: datetime,
    policy: str,
    *,
    sections: Sequence[str],
    **counts: int,
) -> Event:
    """Before the form may leave: what it holds, by the names of sections and counts of fields."""
    return replace(
        accepted(request, whose, at, policy),
        type=EventType.AUTOFILL_FINISHED,
        released=tuple(sections),
        outcome="filled",
        detail={"template": request.template, **counts},
    )


def ended(request: StoredRequest, at: datetime, policy: str) -> Event:
    """It was not filled, or not delivered, and why."""
    return Event(
        type=_ENDS[request.state],
        exchange=request.id,
        at=at,
        who=_who(request),
        why=replace(request.order.purpose(policy), version=request.version),
        outcome=request.state.value,
        detail={"template": request.template, "reason": request.reason or ""},
    )


def read_again(request: StoredRequest, exchange: UUID, whose: Sequence[Subject], at: datetime, policy: str) -> Event:
    """What has been filled so far was shown to the client."""
    return replace(
        accepted(request, whose, at, policy),
        type=EventType.RESULT_READ,
        exchange=exchange,
        outcome="released",
        detail={"autofill": str(request.id)},
    )


def settled(request: StoredRequest, lookup: UUID, answers: Sequence[AgencyReply], at: datetime) -> Event:
    """The outcome of a lookup whose worker died after its answers were kept and before it was recorded."""
    return Event(
        type=EventType.LOOKUP_OUTCOME,
        exchange=lookup,
        at=at,
        who=_who(request),
        answered=question_outcomes(answers),
        outcome="released",
        detail={**reused(answers), "autofill": str(request.id)},
    )


async def once(log: Log, event: Event) -> int:
    """
    The index of this record, or of the one that an earlier run made of the same thing.  Raises `AuditUnavailable`.
    """
    refusal: RecordRefused
    try:
        return await log.append(event)
    except RecordRefused as error:
        refusal = error
    index = await log.entry_index(event.exchange, event.type)
    if index is None:
        raise refusal
    return index


def _who(request: StoredRequest) -> Actor:
    return Actor(user=request.order.holder, client=request.client, court=request.court)
