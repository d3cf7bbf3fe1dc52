"""
What a lookup leaves in the audit log: the events of its stations, and the bodies kept sealed with its outcome.
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

# The answer goes when its purpose is reached (PIPL 47); the record that it was given stays (PIPL 56).
RESULT_DAYS = 180


def intent(
    lookup_id: UUID,
    at: datetime,
    caller: Caller,
    grant: Grant,
    subject: Subject,
    asked: tuple[AskedQuestion, ...],
    policy: str,
) -> Event:
    """Before any question: who will ask whom about which subject, and under which right."""
    return Event(
        type=EventType.LOOKUP_INTENT,
        exchange=lookup_id,
        at=at,
        who=caller.actor(),
        whose=(subject,),
        why=_permitted(grant, policy),
        asked=asked,
        outcome="asked",
        detail=_stand_in(grant),
    )


def outcome(
    intended: Event, at: datetime, answers: tuple[AgencyReply, ...], result: LookupResult, ended: AccessRule | None
) -> Event:
    """Before any release: what each agency said, and what is released or why nothing is."""
    return replace(
        intended,
        type=EventType.LOOKUP_OUTCOME,
        at=at,
        answered=question_outcomes(answers),
        released=() if ended else result.sections,
        outcome="withheld" if ended else "released",
        detail=reused(answers) | ({"rule": ended.value} if ended else _less(result)),
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
    """A refusal before any question, by a rule of ours."""
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
    opening: Disclosure,
) -> Event:
    """A stored answer opened once more: a disclosure like the first."""
    return Event(
        type=opening.type,
        exchange=exchange,
        at=at,
        who=caller.actor(),
        whose=(subject,),
        why=_permitted(grant, policy),
        released=opening.released,
        outcome=opening.outcome,
        detail={"lookup": str(lookup_id), **opening.detail, **_stand_in(grant)},
    )


def shown_before_outcome(
    exchange: UUID, intended: Event, at: datetime, answer: AgencyReply, result: LookupResult
) -> Event:
    """One agency's answer, before the outcome of its lookup."""
    return replace(
        intended,
        type=EventType.ANSWER_SHOWN,
        exchange=exchange,
        at=at,
        asked=(),
        answered=question_outcomes((answer,)),
        released=result.sections,
        outcome="released",
        detail={"lookup": str(intended.exchange), **intended.detail, **reused((answer,))},
    )


def sealed_payloads(
    answers: tuple[AgencyReply, ...], result: bytes | None, agencies: Mapping[str, Adapter], at: datetime
) -> tuple[SealedPayload, ...]:
    """
    The bodies to seal with the outcome: every raw answer as it came, and the result if it is released.
    """
    raw = tuple(
        SealedPayload(
            kind="raw",
            agency=answer.agency,
            capability=answer.capability.name,
            body=body.body,
            expires_at=at + timedelta(days=agencies[answer.agency].agency.retention_days),
        )
        for answer in answers
        for body in answer.evidence.answers
    )
    if result is None:
        return raw
    expires_at = at + timedelta(days=RESULT_DAYS)
    return (*raw, SealedPayload(kind="result", agency="", capability="", body=result, expires_at=expires_at))


def sealed_note(opening: Disclosure, at: datetime) -> tuple[SealedPayload, ...]:
    """The reader's own words, to be sealed with the record; as long as that may be examined."""
    if not opening.note:
        return ()
    return (SealedPayload(kind="note", body=opening.note.encode(), expires_at=at + timedelta(days=NOTE_DAYS)),)


def _permitted(grant: Grant, policy: str) -> PurposeOfUse:
    return replace(grant.order.purpose(policy, rules=grant.rules), grant=grant.id)


def _stand_in(grant: Grant) -> dict[str, str | int]:
    return {} if grant.delegation is None else {"delegation": grant.delegation}


def _less(result: LookupResult) -> dict[str, str | int]:
    """What was held back of what is released: the names of fields, never their values."""
    said = {"withheld": ",".join(result.withheld), "masked": ",".join(result.masked)}
    return {name: names for name, names in said.items() if names}


def question_outcomes(replies: Iterable[AgencyReply]) -> tuple[QuestionOutcome, ...]:
    """The replies to questions that this lookup sent itself."""
    return tuple(_question_outcome(reply) for reply in replies if reply.reused_from is None)


def reused(replies: Iterable[AgencyReply]) -> dict[str, str | int]:
    """The replies that were there already, each with the lookup whose records tell of the question."""
    names = [f"{reply.agency}.{reply.capability.name}:{reply.reused_from}" for reply in replies if reply.reused_from]
    return {"reused": ",".join(names)} if names else {}


def _question_outcome(answer: AgencyReply) -> QuestionOutcome:
    last = answer.evidence.answers[-1] if answer.evidence.answers else None
    reading = answer.reading
    return QuestionOutcome(
        agency=answer.agency,
        capability=answer.capability.name,
        state=answer.state,
        reason=answer.reason,
        records=len(reading.records) if reading else 0,
        attempts=answer.evidence.attempts,
        asked_at=answer.asked_at,
        answered_at=answer.answered_at,
        stated_at=last.stated_at if last else None,
        digest=last.digest if last else None,
    )
