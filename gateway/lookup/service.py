"""
The way of one lookup, in the design's order:

    who is calling ─▶ right ─▶ INTENT durable ─▶ questions in parallel ─▶ merge and rank ─▶ the grant's fields alone
                   ─▶ right again, leased ─▶ OUTCOME durable, with the raw answers and the result sealed ─▶ release

Data walks this way and nothing walks back.  Whatever fails before the outcome is durable, nothing leaves the house.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

from pydantic import BaseModel

from adapters.contract import Adapter, Question
from adapters.tracing import Trace
from audit.format.event import AskedQuestion, EventType
from audit.store.log import Log
from gateway.access.authorization import AccessDenied, Authorizer, Grant
from gateway.access.redaction import mask, restrict
from gateway.access.rules import AccessRule
from gateway.access.snapshot import AccessLease
from gateway.database import DatabaseUnavailable
from gateway.lookup import audit_events
from gateway.lookup.answer_cache import AnswerCache
from gateway.lookup.disclosure import Purpose, reading
from gateway.lookup.fan_out import ask_all, plan
from gateway.lookup.merge import merge
from gateway.lookup.partial_results import PartialResults, ProgressListener
from gateway.lookup.single_flight import SingleFlight
from gateway.sign_on import Caller
from gateway.telemetry.service import Telemetry
from schemas.identifiers import Identifier, parse
from schemas.lookup import AuditTrail, LookupRequest, dump, load, with_trail
from schemas.subject import Matter, Subject


class Withheld(Exception):
    """A rule of ours keeps the answer in the house; `audit` is the index of the record that says so."""

    def __init__(self, rule: AccessRule, audit: int) -> None:
        super().__init__(f"not released by rule {rule.value}")
        self.rule = rule
        self.audit = audit


@dataclass(frozen=True, slots=True)
class ReleasedResult:
    """
    A result as JSON that may leave the house while its lease is held.  Whoever sends it gives the lease back.

    `record` is the index of the record that a stored result was opened; None for the first release.
    """

    body: bytes
    lease: AccessLease
    record: int | None = None


class LookupNotFound(Exception):
    """No stored lookup of this id for this court."""


class LookupService:
    """
    Looks up parties.  Holds the doors that a lookup walks through, and no state of its own.
    """

    def __init__(
        self,
        *,
        access: Authorizer,
        agencies: Mapping[str, Adapter],
        joint: SingleFlight,
        log: Log,
        received: AnswerCache,
        observing: Telemetry,
        deadline: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self._agencies = agencies
        self._joint = joint
        self._received = received
        self._log = log
        self._observing = observing
        self._stage = observing.tracing.stage
        self._deadline = deadline
        self._clock = clock

    async def look_up(
        self, caller: Caller, request: LookupRequest, *, watching: ProgressListener | None = None
    ) -> ReleasedResult:
        """
        One lookup, whole: a `LookupResult` as JSON.  `watching` is shown what single agencies say before that.

        Raises `IdentifierError` (nothing is recorded: there was no question), `Withheld`, `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        due = asyncio.get_running_loop().time() + self._deadline
        lookup_id = uuid4()
        identifier = parse(request.subject.id_type, request.subject.id_number, country=request.subject.country)
        with self._stage("access"):
            grant = await self._granted(lookup_id, caller, request, identifier)
        subject = _subject(identifier, grant)
        planned = plan(self._agencies, subject, request.want)
        had = await self._received.of(grant.id, planned, self._clock(), request.max_age)
        asked = tuple(
            AskedQuestion(agency=one.agency, capability=one.capability.name) for one in planned if one.key not in had
        )
        intent = audit_events.intent(lookup_id, self._clock(), caller, grant, subject, asked, self._access.policy)
        with self._stage("intent"):
            intent_index = await self._log.append(intent)

        question = _question(lookup_id, subject, grant, due, self._observing.tracing.questions)
        heard = None
        if watching is not None:
            watching.begun(planned)
            early = PartialResults(
                access=self._access,
                log=self._log,
                clock=self._clock,
                watching=watching,
                caller=caller,
                grant=grant,
                intent=intent,
                subject=subject,
                wants=frozenset(request.want),
                waiting=len(planned),
            )
            # With nobody to wait for, the whole is there as soon as any part of it.
            heard = early.heard if asked else None
        answers = await ask_all(planned, question, partial(self._joint.ask, grant.id), heard, had)
        with self._stage("merge"):
            whole = merge(
                lookup_id=lookup_id,
                subject=subject,
                wants=frozenset(request.want),
                answers=answers,
                warnings=identifier.warnings,
                simplified_procedure=grant.simplified_procedure,
                now=self._clock(),
            )
            stored = restrict(whole, grant.scopes)
            result = mask(stored, grant.scopes)
        with self._stage("release"):
            ended, lease = await self._access.before_release(caller, grant)
        try:
            outcome = audit_events.outcome(intent, self._clock(), answers, result, ended)
            answer = dump(result)
            # Without a mask, what is shown is what is stored.
            keep = None if ended else _stored(caller, request, answer if result is stored else dump(stored))
            kept = audit_events.kept(answers, keep, self._agencies, self._clock())
            with self._stage("outcome"):
                outcome_index = await self._log.append(outcome, payloads=kept)
            self._received.keep(grant.id, lookup_id, answers)
            self._observing.looked_up({one.state for one in answers}, withheld=bool(ended))
            if ended:
                raise Withheld(ended, outcome_index)  # noqa: TRY301 - the lease goes back whatever happens
            return self._released(lease, answer, self._trail(intent_index, outcome_index))
        except BaseException:
            lease.release()
            raise

    async def read(self, caller: Caller, lookup_id: UUID, purpose: Purpose = reading) -> ReleasedResult:
        """
        The stored result as JSON, shown again to who holds its work order now; no agency is asked.  The record says
        what for.

        Raises `LookupNotFound`, `Withheld`, `NotThere`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        stored = await self._log.open_payload(lookup_id, "result")
        if stored is None:
            raise LookupNotFound
        head, _, answer = stored.partition(b"\n")
        asked = _StoredRequest.model_validate_json(head)
        if asked.court != caller.court:
            raise LookupNotFound
        request = asked.request
        identifier = parse(request.subject.id_type, request.subject.id_number, country=request.subject.country)
        exchange = uuid4()
        grant = await self._granted(exchange, caller, request, identifier, again=True)
        subject = _subject(identifier, grant)
        intent = await self._log.entry_index(lookup_id, EventType.LOOKUP_INTENT)
        outcome = await self._log.entry_index(lookup_id, EventType.LOOKUP_OUTCOME)
        if intent is None or outcome is None:
            raise LookupNotFound
        # The right may be narrower by now than it was when the answer was stored.
        result = mask(restrict(load(answer), grant.scopes), grant.scopes)
        ended, lease = await self._access.before_release(caller, grant)
        try:
            policy = self._access.policy
            if ended:
                refusal = AccessDenied(ended, order=grant.order)
                denied = audit_events.denied(exchange, self._clock(), caller, request, identifier, refusal, policy)
                raise Withheld(ended, await self._log.append(denied))  # noqa: TRY301 - the lease goes back
            opening = purpose(result)
            again = audit_events.opened_again(
                exchange, lookup_id, self._clock(), caller, grant, subject, policy, opening
            )
            record = await self._log.append(again, payloads=audit_events.kept_note(opening, self._clock()))
            return self._released(lease, dump(result), self._trail(intent, outcome), record)
        except BaseException:
            lease.release()
            raise

    async def _granted(
        self, exchange: UUID, caller: Caller, request: LookupRequest, identifier: Identifier, *, again: bool = False
    ) -> Grant:
        refusal: AccessDenied
        try:
            return await self._access.grant(
                caller, request.work_order, identifier, request.subject.name, request.want, count_question=not again
            )
        except AccessDenied as error:
            refusal = error
        denied = audit_events.denied(exchange, self._clock(), caller, request, identifier, refusal, self._access.policy)
        raise Withheld(refusal.rule, await self._log.append(denied))

    def _released(
        self, lease: AccessLease, answer: bytes, trail: AuditTrail, record: int | None = None
    ) -> ReleasedResult:
        if not lease.valid:
            # The log was slower than a closing may be made to wait, or the database let go of the lock.
            raise DatabaseUnavailable
        return ReleasedResult(with_trail(answer, trail), lease, record)

    def _trail(self, intent: int, outcome: int) -> AuditTrail:
        return AuditTrail(intent=intent, outcome=outcome, checkpoint_size=self._log.checkpoint_size)


def _subject(identifier: Identifier, grant: Grant) -> Subject:
    return Subject(
        kind=grant.party.kind,
        id_type=identifier.id_type,
        id_number=identifier.canonical_value,
        name=grant.party.name,
        country=identifier.country,
    )


def _question(lookup_id: UUID, subject: Subject, grant: Grant, due: float, trace: Trace) -> Question:
    order = grant.order
    return Question(
        lookup=str(lookup_id),
        subject=subject,
        official=grant.official,
        matter=Matter(work_order=order.id, kind=order.kind, case_number=order.case_number, court=order.court),
        deadline=due,
        trace=trace,
    )


class _StoredRequest(BaseModel, hide_input_in_errors=True):
    """The line that stands above a stored result: who reads it again is judged by the same question."""

    court: str
    request: LookupRequest


def _stored(caller: Caller, request: LookupRequest, answer: bytes) -> bytes:
    return _StoredRequest(court=caller.court, request=request).model_dump_json().encode() + b"\n" + answer
