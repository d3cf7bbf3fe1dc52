"""
The audit events of a lookup, and the payloads that are sealed with its outcome.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from adapters.contract import Adapter
from audit.format.event import AskedQuestion, Event, EventType, PurposeOfUse, QuestionOutcome, SealedPayload
from gateway.access.authorization import AccessDenied, Grant
from gateway.access.rules import AccessRule
from gateway.access.snapshot import PURPOSE
from gateway.audit_access import NOTE_DAYS
from gateway.lookup.disclosure import Disclosure
from gateway.lookup.fan_out import AgencyReply
from gateway.sign_on import Caller
from schemas.identifiers import Identifier
from schemas.lookup import LookupRequest, LookupResult
from schemas.subject import Subject

# The answer is deleted when its purpose is reached (PIPL 47); the record of the disclosure stays (PIPL 56).
RESULT_DAYS = 180


def intent(
    lookup_id: UUID,
    at: datetime,
    caller: Caller,
    grant: Grant,
    subject: Subject,
    questions: tuple[AskedQuestion, ...],
    policy: str,
) -> Event:
    """The intent, recorded before any question: the caller, the subject, the right and the questions."""
    return Event(
        type=EventType.LOOKUP_INTENT,
        exchange=lookup_id,
        at=at,
        who=caller.actor(),
        whose=(subject,),
        why=_permitted(grant, policy),
        asked=questions,
        outcome="asked",
        detail=_delegation(grant),
    )


def outcome(
    intended: Event, at: datetime, replies: tuple[AgencyReply, ...], result: LookupResult, ended: AccessRule | None
) -> Event:
    """The outcome, recorded before any release: the replies, and what is released or why nothing is."""
    return replace(
        intended,
        type=EventType.LOOKUP_OUTCOME,
        at=at,
        answered=question_outcomes(replies),
        released=() if ended else result.sections,
        outcome="withheld" if ended else "released",
        detail=reused(replies) | ({"rule": ended.value} if ended else _withheld_fields(result)),
    )


def denied(
    lookup_id: UUID,
    at: datetime,
    caller: Caller,
    request: LookupRequest,
    identifier: Identifier,
    refusal: AccessDenied,
    policy: str,
) -> Event:
    """A refusal by an access rule, before any question."""
    subject = Subject(
        kind=request.subject.kind,
        id_type=identifier.id_type,
        id_number=identifier.canonical_value,
        name=request.subject.name,
        country=request.subject.country,
    )
    why = (
        PurposeOfUse(
            work_order=request.work_order, purpose=PURPOSE, policy=policy, decision="deny", rules=refusal.rules
        )
        if refusal.order is None
        else refusal.order.purpose(policy, decision="deny", rules=refusal.rules)
    )
    return Event(
        type=EventType.LOOKUP_DENIED,
        exchange=lookup_id,
        at=at,
        who=caller.actor(),
        whose=(subject,),
        why=why,
        outcome="refused",
        detail={"rule": refusal.rule.value},
    )


def disclosed(
    exchange: UUID,
    lookup_id: UUID,
    at: datetime,
    caller: Caller,
    grant: Grant,
    subject: Subject,
    policy: str,
    disclosure: Disclosure,
) -> Event:
    """A further disclosure of a stored result."""
    return Event(
        type=disclosure.type,
        exchange=exchange,
        at=at,
        who=caller.actor(),
        whose=(subject,),
        why=_permitted(grant, policy),
        released=disclosure.released,
        outcome=disclosure.outcome,
        detail={"lookup": str(lookup_id), **disclosure.detail, **_delegation(grant)},
    )


def shown_before_outcome(
    exchange: UUID, intended: Event, at: datetime, reply: AgencyReply, result: LookupResult
) -> Event:
    """A partial result: one agency's answer, shown before the outcome of its lookup."""
    return replace(
        intended,
        type=EventType.ANSWER_SHOWN,
        exchange=exchange,
        at=at,
        asked=(),
        answered=question_outcomes((reply,)),
        released=result.sections,
        outcome="released",
        detail={"lookup": str(intended.exchange), **intended.detail, **reused((reply,))},
    )


def sealed_payloads(
    replies: tuple[AgencyReply, ...], result: bytes | None, agencies: Mapping[str, Adapter], at: datetime
) -> tuple[SealedPayload, ...]:
    """
    The payloads of the outcome: every raw answer as it came, and the result if it is released.
    """
    raw = tuple(
        SealedPayload(
            kind="raw",
            agency=reply.agency,
            capability=reply.capability.name,
            body=answer.body,
            expires_at=at + timedelta(days=agencies[reply.agency].agency.retention_days),
        )
        for reply in replies
        for answer in reply.evidence.answers
    )
    if result is None:
        return raw
    expires_at = at + timedelta(days=RESULT_DAYS)
    return (*raw, SealedPayload(kind="result", agency="", capability="", body=result, expires_at=expires_at))


def sealed_note(disclosure: Disclosure, at: datetime) -> tuple[SealedPayload, ...]:
    """The note of the reader, sealed with the record for as long as that may be examined."""
    if not disclosure.note:
        return ()
    return (SealedPayload(kind="note", body=disclosure.note.encode(), expires_at=at + timedelta(days=NOTE_DAYS)),)


def _permitted(grant: Grant, policy: str) -> PurposeOfUse:
    return replace(grant.order.purpose(policy, rules=grant.rules), grant=grant.id)


def _delegation(grant: Grant) -> dict[str, str | int]:
    return {} if grant.delegation is None else {"delegation": grant.delegation}


def _withheld_fields(result: LookupResult) -> dict[str, str | int]:
    """The names of the fields that are withheld or masked, never their values."""
    names = {"withheld": ",".join(result.withheld), "masked": ",".join(result.masked)}
    return {kind: fields for kind, fields in names.items() if fields}


def question_outcomes(replies: Iterable[AgencyReply]) -> tuple[QuestionOutcome, ...]:
    """The replies to questions that this lookup sent itself."""
    return tuple(_question_outcome(reply) for reply in replies if reply.reused_from is None)


def reused(replies: Iterable[AgencyReply]) -> dict[str, str | int]:
    """The reused replies, each with the lookup whose records have the question."""
    names = [f"{reply.agency}.{reply.capability.name}:{reply.reused_from}" for reply in replies if reply.reused_from]
    return {"reused": ",".join(names)} if names else {}


def _question_outcome(reply: AgencyReply) -> QuestionOutcome:
    last = reply.evidence.answers[-1] if reply.evidence.answers else None
    reading = reply.reading
    return QuestionOutcome(
        agency=reply.agency,
        capability=reply.capability.name,
        state=reply.state,
        reason=reply.reason,
        records=len(reading.records) if reading else 0,
        attempts=reply.evidence.attempts,
        asked_at=reply.asked_at,
        answered_at=reply.answered_at,
        stated_at=last.stated_at if last else None,
        digest=last.digest if last else None,
    )
