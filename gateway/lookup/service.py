"""
The lookup service: the one way of a lookup, for the clerk's call, the page and forms.

    right ─▶ INTENT durable ─▶ questions in parallel ─▶ merge and rank ─▶ the grant's fields alone
          ─▶ right again, leased ─▶ OUTCOME durable, with the raw answers and the result sealed ─▶ release

Data walks this way and nothing walks back.  Whatever fails before the outcome is durable, nothing is released.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

from pydantic import BaseModel

from adapters.contract import Adapter, Question
from audit.format.event import AskedQuestion, Event, EventType
from audit.store.log import Log
from gateway.access.authorization import AccessDenied, Authorizer, Grant
from gateway.access.redaction import mask, restrict
from gateway.access.rules import AccessRule
from gateway.access.snapshot import AccessLease
from gateway.database import DatabaseUnavailable
from gateway.lookup import audit_events
from gateway.lookup.answer_cache import AnswerCache
from gateway.lookup.disclosure import Purpose, reading
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion, ask_all, plan
from gateway.lookup.merge import merge
from gateway.lookup.partial_results import PartialResults, ProgressListener
from gateway.lookup.single_flight import SingleFlight
from gateway.sign_on import Caller
from gateway.telemetry.service import Telemetry
from schemas.identifiers import Identifier, parse
from schemas.lookup import AuditTrail, LookupRequest, LookupResult, dump, load, with_trail
from schemas.subject import Matter, Subject

Replies = tuple[AgencyReply, ...]


class Withheld(Exception):
    """
    A rule of ours withholds the answer; `audit` is the index of the record that says so.  `questions_sent` says whether
    questions were sent before.
    """

    def __init__(self, rule: AccessRule, audit: int, *, questions_sent: bool = False) -> None:
        super().__init__(f"not released by rule {rule.value}")
        self.rule = rule
        self.audit = audit
        self.questions_sent = questions_sent


class LookupNotFound(Exception):
    """No stored lookup of this id for this court."""


@dataclass(frozen=True, slots=True)
class ReleasedResult:
    """
    A result as JSON that may be sent while its lease is valid.  The sender releases the lease.

    `record` is the index of the record that a stored result was opened; None for the first release.
    """

    body: bytes
    lease: AccessLease
    record: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueQuestions:
    """
    The questions of one party that a form still has to ask.

    `earlier` are the answers of its former lookups, merged with the new ones.  `count` takes one of the grant's
    questions.  `store` keeps the new replies of a lookup durably before its outcome is recorded; it returns the rule by
    which the form has ended meanwhile, or None.  `form` is the id that every record names.
    """

    form: UUID
    planned: tuple[PlannedQuestion, ...]
    earlier: Replies = ()
    count: bool = True
    store: Callable[[UUID, Replies], Awaitable[AccessRule | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyAnswers:
    """What a form's lookup brings: the redacted result of all its answers so far, and the record of the outcome."""

    grant: Grant
    result: LookupResult = field(repr=False)
    replies: Replies = field(repr=False)
    outcome: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookup:
    """A lookup under way.  `detail` stands in every record of it; `due` is its deadline in loop time."""

    id: UUID
    caller: Caller
    request: LookupRequest = field(repr=False)
    identifier: Identifier = field(repr=False)
    grant: Grant
    due: float
    detail: Mapping[str, str | int]

    @property
    def subject(self) -> Subject:
        return Subject(
            kind=self.grant.party.kind,
            id_type=self.identifier.id_type,
            id_number=self.identifier.canonical_value,
            name=self.grant.party.name,
            country=self.identifier.country,
        )


@dataclass(frozen=True, kw_only=True)
class LookupService:
    """
    Looks up parties.  Stateless: only holds its collaborators.
    """

    authorizer: Authorizer
    agencies: Mapping[str, Adapter]
    single_flight: SingleFlight
    cache: AnswerCache
    log: Log
    telemetry: Telemetry
    deadline: float
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def look_up(
        self, caller: Caller, request: LookupRequest, *, listener: ProgressListener | None = None
    ) -> ReleasedResult:
        """
        One lookup, whole: a `LookupResult` as JSON.  `listener` is shown the answers of single agencies before that.

        Raises `IdentifierError` (nothing is recorded: there was no question), `Withheld`, `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        lookup = await self._begin(caller, request)
        planned = plan(self.agencies, lookup.subject, request.want)
        intent, intent_index, replies = await self._ask(lookup, planned, listener)
        stored, result = self._merge(lookup, replies)
        body = dump(result)
        # Without a mask, what is shown is what is stored.
        head = _StoredRequest(court=caller.court, request=request).model_dump_json().encode()
        payload = head + b"\n" + (body if result is stored else dump(stored))
        lease, outcome_index = await self._conclude(lookup, intent, replies, result, payload)
        return self._release(lease, body, intent_index, outcome_index)

    async def ask_due(self, caller: Caller, request: LookupRequest, due: DueQuestions) -> PartyAnswers:
        """
        The lookup of a form: asks the questions that are due and merges the answers with the earlier ones.

        Raises as `look_up` does.
        """
        with self.telemetry.background_work("lookup"):
            lookup = await self._begin(caller, request, count_question=due.count, form=due.form)
            intent, _, replies = await self._ask(lookup, due.planned)
            _, result = self._merge(lookup, latest((*due.earlier, *replies)))
            store = partial(due.store, lookup.id, replies)
            lease, outcome = await self._conclude(lookup, intent, replies, result, store=store)
            lease.release()
            return PartyAnswers(grant=lookup.grant, result=result, replies=replies, outcome=outcome)

    async def recall(
        self, caller: Caller, request: LookupRequest, replies: Replies, *, form: UUID
    ) -> tuple[Grant, LookupResult]:
        """
        The redacted result of answers that a form has already, under the right as it is now; nothing is asked.

        Raises `Withheld`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        lookup = await self._begin(caller, request, count_question=False, form=form)
        return lookup.grant, self._merge(lookup, replies)[1]

    async def read(self, caller: Caller, lookup_id: UUID, purpose: Purpose = reading) -> ReleasedResult:
        """
        The stored result as JSON, shown again to the present holder of its work order; no agency is asked.  The record
        says what for.

        Raises `LookupNotFound`, `Withheld`, `NothingToDisclose`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        stored = await self.log.open_payload(lookup_id, "result")
        if stored is None:
            raise LookupNotFound
        head, _, body = stored.partition(b"\n")
        stored_request = _StoredRequest.model_validate_json(head)
        if stored_request.court != caller.court:
            raise LookupNotFound
        disclosure_id = uuid4()
        lookup = await self._begin(caller, stored_request.request, lookup_id=disclosure_id, count_question=False)
        intent = await self.log.entry_index(lookup_id, EventType.LOOKUP_INTENT)
        outcome = await self.log.entry_index(lookup_id, EventType.LOOKUP_OUTCOME)
        if intent is None or outcome is None:
            raise LookupNotFound
        # The right may be narrower by now than it was when the answer was stored.
        result = mask(restrict(load(body), lookup.grant.scopes), lookup.grant.scopes)
        ended, lease = await self.authorizer.before_release(caller, lookup.grant)
        try:
            if ended:
                refusal = AccessDenied(ended, order=lookup.grant.order)
                withheld = await self._withheld(
                    disclosure_id, caller, stored_request.request, lookup.identifier, refusal
                )
                raise withheld  # noqa: TRY301 - the lease is released whatever happens
            disclosure = purpose(result)
            event = audit_events.disclosed(
                disclosure_id,
                lookup_id,
                self.clock(),
                caller,
                lookup.grant,
                lookup.subject,
                self.authorizer.policy,
                disclosure,
            )
            record = await self.log.append(event, payloads=audit_events.sealed_note(disclosure, self.clock()))
            return self._release(lease, dump(result), intent, outcome, record)
        except BaseException:
            lease.release()
            raise

    async def _begin(
        self,
        caller: Caller,
        request: LookupRequest,
        *,
        lookup_id: UUID | None = None,
        count_question: bool = True,
        form: UUID | None = None,
    ) -> _Lookup:
        """The right to look up, or the record that there is none."""
        due = asyncio.get_running_loop().time() + self.deadline
        lookup_id = lookup_id or uuid4()
        party = request.subject
        identifier = parse(party.id_type, party.id_number, country=party.country)
        detail: dict[str, str | int] = {} if form is None else {"autofill": str(form)}
        refusal: AccessDenied
        with self.telemetry.tracing.stage("access"):
            try:
                grant = await self.authorizer.grant(
                    caller, request.work_order, identifier, party.name, request.want, count_question=count_question
                )
            except AccessDenied as error:
                refusal = error
            else:
                return _Lookup(
                    id=lookup_id,
                    caller=caller,
                    request=request,
                    identifier=identifier,
                    grant=grant,
                    due=due,
                    detail=detail,
                )
        raise await self._withheld(lookup_id, caller, request, identifier, refusal, detail)

    async def _ask(
        self, lookup: _Lookup, planned: tuple[PlannedQuestion, ...], listener: ProgressListener | None = None
    ) -> tuple[Event, int, Replies]:
        """Records the intent, then asks what the cache does not hold."""
        grant, subject = lookup.grant, lookup.subject
        cached = await self.cache.get(grant.id, planned, self.clock(), lookup.request.max_age)
        questions = tuple(
            AskedQuestion(agency=question.agency, capability=question.capability.name)
            for question in planned
            if question.key not in cached
        )
        event = audit_events.intent(
            lookup.id, self.clock(), lookup.caller, grant, subject, questions, self.authorizer.policy
        )
        intent = replace(event, detail={**event.detail, **lookup.detail})
        with self.telemetry.tracing.stage("intent"):
            index = await self.log.append(intent)
        order = grant.order
        question = Question(
            lookup=str(lookup.id),
            subject=subject,
            official=grant.official,
            matter=Matter(work_order=order.id, kind=order.kind, case_number=order.case_number, court=order.court),
            deadline=lookup.due,
            trace=self.telemetry.tracing.questions,
        )
        partial_results = None
        if listener is not None:
            listener.begun(planned)
            # If everything is cached, the whole result is ready at once.
            if questions:
                partial_results = PartialResults(
                    authorizer=self.authorizer,
                    log=self.log,
                    clock=self.clock,
                    listener=listener,
                    caller=lookup.caller,
                    grant=grant,
                    intent=intent,
                    subject=subject,
                    wants=frozenset(lookup.request.want),
                    pending=len(planned),
                )
        on_answer = None if partial_results is None else partial_results.show
        ask = partial(self.single_flight.ask, grant.id)
        return intent, index, await ask_all(planned, question, ask, on_answer, cached)

    def _merge(self, lookup: _Lookup, replies: Replies) -> tuple[LookupResult, LookupResult]:
        """The result restricted to the grant, as it is stored, and the same masked, as it is shown."""
        with self.telemetry.tracing.stage("merge"):
            whole = merge(
                lookup_id=lookup.id,
                subject=lookup.subject,
                wants=frozenset(lookup.request.want),
                answers=replies,
                warnings=lookup.identifier.warnings,
                simplified_procedure=lookup.grant.simplified_procedure,
                now=self.clock(),
            )
            stored = restrict(whole, lookup.grant.scopes)
            return stored, mask(stored, lookup.grant.scopes)

    async def _conclude(
        self,
        lookup: _Lookup,
        intent: Event,
        replies: Replies,
        result: LookupResult,
        payload: bytes | None = None,
        *,
        store: Callable[[], Awaitable[AccessRule | None]] | None = None,
    ) -> tuple[AccessLease, int]:
        """
        Decides again and records the outcome: the lease under which the result may be sent, and the record's index.
        """
        with self.telemetry.tracing.stage("release"):
            ended, lease = await self.authorizer.before_release(lookup.caller, lookup.grant)
        try:
            if ended is None and store is not None:
                ended = await store()
            outcome = audit_events.outcome(intent, self.clock(), replies, result, ended)
            outcome = replace(outcome, detail={**outcome.detail, **lookup.detail})
            # A form keeps no answer that comes after its right has ended; a call keeps what was sent, as evidence.
            payloads = (
                ()
                if ended and store is not None
                else audit_events.sealed_payloads(replies, None if ended else payload, self.agencies, self.clock())
            )
            with self.telemetry.tracing.stage("outcome"):
                index = await self.log.append(outcome, payloads=payloads)
            if not ended:
                self.cache.put(lookup.grant.id, lookup.id, replies)
            self.telemetry.count_lookup({reply.state for reply in replies}, withheld=bool(ended))
            if ended:
                raise Withheld(ended, index, questions_sent=True)  # noqa: TRY301 - the lease is released whatever happens
        except BaseException:
            lease.release()
            raise
        return lease, index

    async def _withheld(
        self,
        exchange: UUID,
        caller: Caller,
        request: LookupRequest,
        identifier: Identifier,
        refusal: AccessDenied,
        detail: Mapping[str, str | int] | None = None,
    ) -> Withheld:
        """The error to raise for a refusal, once that is recorded."""
        event = audit_events.denied(
            exchange, self.clock(), caller, request, identifier, refusal, self.authorizer.policy
        )
        index = await self.log.append(replace(event, detail={**event.detail, **(detail or {})}))
        return Withheld(refusal.rule, index)

    def _release(
        self, lease: AccessLease, body: bytes, intent: int, outcome: int, record: int | None = None
    ) -> ReleasedResult:
        if not lease.valid:
            # The lease ended while the record was written, or the database lost its lock.
            lease.release()
            raise DatabaseUnavailable
        trail = AuditTrail(intent=intent, outcome=outcome, checkpoint_size=self.log.checkpoint_size)
        return ReleasedResult(with_trail(body, trail), lease, record)


def latest(replies: Replies) -> Replies:
    """The last reply to each question, in the order in which the questions first occur."""
    return tuple({(reply.agency, reply.capability.name): reply for reply in replies}.values())


class _StoredRequest(BaseModel, hide_input_in_errors=True):
    """The line above a stored result: reading it again is judged by the same question."""

    court: str
    request: LookupRequest
