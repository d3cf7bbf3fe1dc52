"""
One round of questions about one party: what is still open is asked, as a lookup of its own with both its records.

What an agency has answered is kept before anything else is done with it, so that no restart asks it again; and it is
kept only while the right lives, which is looked at before the questions and once more when the answers are there.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from adapters.contract import Adapter, Question
from audit.format.event import AskedQuestion, Event, EventType
from audit.store.log import Log
from gateway.access.authorization import AccessDenied, Authorizer, Grant
from gateway.access.redaction import mask, restrict
from gateway.access.rules import AccessRule
from gateway.access.work_orders import party_identifier
from gateway.autofill import audit_events, store
from gateway.autofill.store import Fenced, QuestionRow, StoredRequest
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.lookup import answer_codec as codec
from gateway.lookup import audit_events as of_lookups
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion, ask_all
from gateway.lookup.merge import merge
from gateway.lookup.single_flight import SingleFlight
from gateway.sign_on import Caller
from schemas.codes import AnswerState, Want
from schemas.lookup import LookupRequest, LookupResult, SubjectStatement
from schemas.subject import Matter, Subject
from schemas.work_order import PartyStatement

LONGEST_PAUSE: Final = timedelta(minutes=15)


class Ended(Exception):
    """A rule of ours ended the right; nothing that was heard since is kept."""

    def __init__(self, rule: AccessRule) -> None:
        super().__init__(f"ended by rule {rule.value}")
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party of a request: its place in the statement, and what is wanted about it."""

    place: int
    statement: PartyStatement = field(repr=False)
    caller: Caller = field(repr=False)
    wants: tuple[Want, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    All that is known about a party after a round: the merged result with the masks of the grant, the open questions'
    next moment, and the outcomes recorded in this round by their lookups.
    """

    party: Party
    grant: Grant
    result: LookupResult = field(repr=False)
    trail: Mapping[tuple[str, str], int]
    told: Mapping[UUID, int]
    next_at: datetime | None


class Rounds:
    """
    Asks.  Holds the doors that a lookup walks through, and no state of its own.
    """

    def __init__(
        self,
        *,
        access: Authorizer,
        agencies: Mapping[str, Adapter],
        joint: SingleFlight,
        log: Log,
        database: Database,
        encryption: FieldEncryption,
        deadline: float,
        pause: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._agencies = agencies
        self._joint = joint
        self._log = log
        self._database = database
        self._encryption = encryption
        self._deadline = deadline
        self._pause = pause
        self._clock = clock

    async def ask(self, request: StoredRequest, party: Party) -> Known:
        """
        Asks what is open and due about a party, and says what is known then.

        Raises `AccessDenied` (recorded), `Ended` (recorded), `Fenced`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        mine = [one for one in request.questions if one.party == party.place]
        now = self._clock()
        due = [one for one in mine if not one.settled and (one.next_at is None or one.next_at <= now)]
        earlier = self.kept(request, mine)
        grant = await self.granted(request, party, again=not due or any(one.attempts for one in mine))
        told = await self._settle(request, mine, earlier)
        heard: tuple[AgencyReply, ...] = ()
        if due:
            heard, asked = await self._look_up(request, party, grant, due, earlier)
            told |= {one.lookup: one.outcome for one in asked if one.lookup and one.outcome is not None}
            mine = [*(one for one in mine if one not in due), *asked]
        whole = self.merged(request, party, _together(earlier, heard), simplified=grant.simplified_procedure)
        return Known(
            party=party,
            grant=grant,
            result=mask(restrict(whole, grant.scopes), grant.scopes),
            trail={one.key: index for one in mine if (index := one.outcome or told.get(one.lookup or request.id))},
            told=told,
            next_at=min((one.next_at for one in mine if one.next_at is not None), default=None),
        )

    def kept(self, request: StoredRequest, questions: list[QuestionRow]) -> tuple[AgencyReply, ...]:
        """The answers of earlier rounds."""
        opened = (
            codec.load(self._encryption.open(_context(request, one), one.sealed), self._agencies)
            for one in questions
            if one.sealed is not None
        )
        return tuple(answer for answer in opened if answer is not None)

    def merged(
        self, request: StoredRequest, party: Party, answers: tuple[AgencyReply, ...], *, simplified: bool
    ) -> LookupResult:
        """One result out of all answers, whenever they came."""
        identifier = party_identifier(party.statement)
        return merge(
            lookup_id=request.id,
            subject=_subject(party),
            wants=frozenset(party.wants),
            answers=answers,
            warnings=identifier.warnings,
            simplified_procedure=simplified,
            now=self._clock(),
        )

    async def granted(self, request: StoredRequest, party: Party, *, again: bool) -> Grant:
        """
        The right to ask about a party now, or with `again` to see what was heard.  Raises `AccessDenied` (recorded),
        `AuditUnavailable`, `DatabaseUnavailable`.
        """
        identifier = party_identifier(party.statement)
        refusal: AccessDenied
        try:
            return await self._access.grant(
                party.caller, request.work_order, identifier, None, party.wants, count_question=not again
            )
        except AccessDenied as error:
            refusal = error
        asked = LookupRequest(
            work_order=request.work_order,
            subject=SubjectStatement(
                kind=party.statement.kind,
                id_type=party.statement.id_type,
                id_number=party.statement.id_number,
                name=party.statement.name,
                country=party.statement.country,
            ),
            want=party.wants,
        )
        policy = self._access.policy
        denied = of_lookups.denied(uuid4(), self._clock(), party.caller, asked, identifier, refusal, policy)
        await self._log.append(_of(request, denied))
        raise refusal

    async def _look_up(
        self,
        request: StoredRequest,
        party: Party,
        grant: Grant,
        due: list[QuestionRow],
        earlier: tuple[AgencyReply, ...],
    ) -> tuple[tuple[AgencyReply, ...], list[QuestionRow]]:
        lookup, planned, subject = uuid4(), [self._planned(one) for one in due], _subject(party)
        asked = tuple(AskedQuestion(agency=one.agency, capability=one.capability.name) for one in planned)
        intent = of_lookups.intent(lookup, self._clock(), party.caller, grant, subject, asked, self._access.policy)
        await self._log.append(_of(request, intent))
        heard = await ask_all(planned, self._question(lookup, subject, grant), partial(self._joint.ask, grant.id))
        after = [
            replace(one, state=answer.state, next_at=self._next_at(answer, one.attempts), lookup=lookup)
            for one, answer in zip(due, heard, strict=True)
        ]
        rule, lease = await self._access.before_release(party.caller, grant)
        try:
            if rule is None:
                rule = await self._keep(request, party, after, heard, lookup)
            whole = self.merged(request, party, _together(earlier, heard), simplified=grant.simplified_procedure)
            result = mask(restrict(whole, grant.scopes), grant.scopes)
            outcome = of_lookups.outcome(intent, self._clock(), heard, result, rule)
            raw = () if rule else of_lookups.kept(heard, None, self._agencies, self._clock())
            index = await self._log.append(_of(request, outcome), payloads=raw)
        finally:
            lease.release()
        if rule is not None:
            raise Ended(rule)
        return heard, [replace(one, outcome=index) for one in after]

    async def _keep(
        self,
        request: StoredRequest,
        party: Party,
        after: list[QuestionRow],
        heard: tuple[AgencyReply, ...],
        lookup: UUID,
    ) -> AccessRule | None:
        """Keeps the answers; the rule if the request ended meanwhile, whose outcome is then `withheld`."""
        columns: dict[str, list[Any]] = {
            "agencies": [answer.agency for answer in heard],
            "capabilities": [answer.capability.name for answer in heard],
            "states": [answer.state.value for answer in heard],
            "reasons": [None if answer.reason is None else answer.reason.value for answer in heard],
            "next_ats": [one.next_at for one in after],
            "answered_ats": [answer.answered_at for answer in heard],
            "sealed": [
                self._encryption.seal(_context(request, one), codec.dump(answer))
                for one, answer in zip(after, heard, strict=True)
            ],
        }
        try:
            await self._database.run(store.heard, request, party.place, lookup, columns)
        except Fenced:
            return AccessRule.NOT_OPEN
        return None

    async def _settle(
        self, request: StoredRequest, mine: list[QuestionRow], earlier: tuple[AgencyReply, ...]
    ) -> dict[UUID, int]:
        """The outcomes of lookups whose worker died after their answers were kept."""
        answers = _by_key(earlier)
        told: dict[UUID, int] = {}
        for lookup in {one.lookup for one in mine if one.lookup is not None and one.outcome is None}:
            index = await self._log.entry_index(lookup, EventType.LOOKUP_OUTCOME)
            if index is None:
                of_it = [answers[one.key] for one in mine if one.lookup == lookup and one.key in answers]
                index = await audit_events.once(self._log, audit_events.settled(request, lookup, of_it, self._clock()))
            told[lookup] = index
        return told

    def _next_at(self, answer: AgencyReply, attempts: int) -> datetime | None:
        """When to ask again: as the agency or its guard says, otherwise later and later; None if this is final."""
        closed = answer.state is AnswerState.NOT_ASKED and answer.retry_after is not None
        if answer.state is not AnswerState.UNAVAILABLE and not closed:
            return None
        # Those who were told the same moment must not all come back at it.
        pause = min(self._pause * 2 ** min(attempts, 16), LONGEST_PAUSE.total_seconds())
        jitter = random.uniform(0.5, 1.0) * pause  # noqa: S311 - spreads load, no secret
        return answer.answered_at + timedelta(seconds=max(answer.retry_after or 0.0, 0.0) + jitter)

    def _planned(self, one: QuestionRow) -> PlannedQuestion:
        adapter = self._agencies[one.agency]
        return PlannedQuestion(adapter=adapter, capability=adapter.capabilities[one.capability])

    def _question(self, lookup: UUID, subject: Subject, grant: Grant) -> Question:
        order = grant.order
        return Question(
            lookup=str(lookup),
            subject=subject,
            official=grant.official,
            matter=Matter(work_order=order.id, kind=order.kind, case_number=order.case_number, court=order.court),
            deadline=asyncio.get_running_loop().time() + self._deadline,
        )


def _by_key(answers: tuple[AgencyReply, ...]) -> dict[tuple[str, str], AgencyReply]:
    return {(one.agency, one.capability.name): one for one in answers}


def _together(earlier: tuple[AgencyReply, ...], heard: tuple[AgencyReply, ...]) -> tuple[AgencyReply, ...]:
    return tuple((_by_key(earlier) | _by_key(heard)).values())


def _of(request: StoredRequest, event: Event) -> Event:
    return replace(event, detail={**event.detail, "autofill": str(request.id)})


def _context(request: StoredRequest, one: QuestionRow) -> str:
    return f"autofill|{request.id}|{one.party}|{one.agency}|{one.capability}"


def _subject(party: Party) -> Subject:
    identifier = party_identifier(party.statement)
    return Subject(
        kind=party.statement.kind,
        id_type=identifier.id_type,
        id_number=identifier.canonical_value,
        name=party.statement.name,
        country=identifier.country,
    )
