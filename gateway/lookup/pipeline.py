"""
The way of one lookup, in the design's order:

    who is calling ─▶ right ─▶ INTENT durable ─▶ questions in parallel ─▶ merge and rank ─▶ right again
                   ─▶ OUTCOME durable, with the raw answers and the result sealed ─▶ release

Data walks this way and nothing walks back.  Whatever fails before the outcome is durable, nothing leaves the house.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from pydantic import BaseModel

from adapters.contract import Adapter, Question
from audit.event import Asked, EventType
from audit.log import Log
from gateway.access import decision
from gateway.access.decision import Grant, NotGranted, Rule
from gateway.access.work_orders import WorkOrders
from gateway.lookup import records
from gateway.lookup.asking import ask_all, plan
from gateway.lookup.merge import merge
from gateway.sign_on import Caller
from schemas.identifiers import Identifier, parse
from schemas.lookup import AuditTrail, LookupRequest, dump, with_trail
from schemas.subject import Matter, Subject


class NotReleased(Exception):
    """A rule of ours keeps the answer in the house; `audit` is the index of the record that says so."""

    def __init__(self, rule: Rule, audit: int) -> None:
        super().__init__(f"not released by rule {rule.value}")
        self.rule = rule
        self.audit = audit


class NotStored(Exception):
    """No stored lookup of this id for this court."""


class Lookups:
    """
    Looks up parties.  Holds the doors that a lookup walks through, and no state of its own.
    """

    def __init__(
        self,
        *,
        work_orders: WorkOrders,
        agencies: Mapping[str, Adapter],
        log: Log,
        deadline: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._work_orders = work_orders
        self._agencies = agencies
        self._log = log
        self._deadline = deadline
        self._clock = clock

    async def look_up(self, caller: Caller, request: LookupRequest) -> bytes:
        """
        One lookup, whole: a `LookupResult` as JSON.

        Raises `IdentifierError` (nothing is recorded: there was no question), `NotReleased`, `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        due = asyncio.get_running_loop().time() + self._deadline
        lookup_id = uuid4()
        identifier = parse(request.subject.id_type, request.subject.id_number, country=request.subject.country)
        grant = await self._granted(lookup_id, caller, request, identifier)
        subject = _subject(identifier, grant)
        planned = plan(self._agencies, subject, request.want)

        asked = tuple(Asked(agency=one.agency, capability=one.capability.name) for one in planned)
        intent = records.intent(lookup_id, self._clock(), caller, grant, subject, asked)
        intent_index = await self._log.append(intent)

        answers = await ask_all(planned, _question(lookup_id, subject, grant, due))
        result = merge(
            lookup_id=lookup_id,
            subject=subject,
            wants=frozenset(request.want),
            answers=answers,
            warnings=identifier.warnings,
            simplified_procedure=grant.statement.simplified_procedure,
            now=self._clock(),
        )
        ended = await decision.still_granted(self._work_orders, caller, grant)
        outcome = records.outcome(intent, self._clock(), answers, result, ended)
        answer = dump(result)
        stored = None if ended else _stored(caller, request, answer)
        keep = records.kept(answers, stored, self._agencies, self._clock())
        outcome_index = await self._log.append(outcome, keep=keep)
        if ended:
            raise NotReleased(ended, outcome_index)
        return with_trail(answer, self._trail(intent_index, outcome_index))

    async def read(self, caller: Caller, lookup_id: UUID) -> bytes:
        """
        The stored result as JSON, shown again to who holds its work order now; no agency is asked.

        Raises `NotStored`, `NotReleased`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        stored = await self._log.kept(lookup_id, "result")
        if stored is None:
            raise NotStored
        head, _, answer = stored.partition(b"\n")
        asked = _Asked.model_validate_json(head)
        if asked.court != caller.court:
            raise NotStored
        request = asked.request
        identifier = parse(request.subject.id_type, request.subject.id_number, country=request.subject.country)
        exchange = uuid4()
        grant = await self._granted(exchange, caller, request, identifier)
        subject = _subject(identifier, grant)
        await self._log.append(records.read_again(exchange, lookup_id, self._clock(), caller, grant, subject))
        intent = await self._log.entry_index(lookup_id, EventType.LOOKUP_INTENT)
        outcome = await self._log.entry_index(lookup_id, EventType.LOOKUP_OUTCOME)
        if intent is None or outcome is None:
            raise NotStored
        return with_trail(answer, self._trail(intent, outcome))

    async def _granted(self, exchange: UUID, caller: Caller, request: LookupRequest, identifier: Identifier) -> Grant:
        refusal: NotGranted
        try:
            return await decision.grant(self._work_orders, caller, request.work_order, identifier, request.subject.name)
        except NotGranted as error:
            refusal = error
        denied = records.denied(exchange, self._clock(), caller, request, identifier, refusal)
        raise NotReleased(refusal.rule, await self._log.append(denied))

    def _trail(self, intent: int, outcome: int) -> AuditTrail:
        return AuditTrail(intent=intent, outcome=outcome, checkpoint_size=self._log.checkpoint_size)


def _subject(identifier: Identifier, grant: Grant) -> Subject:
    return Subject(
        kind=grant.party.kind,
        id_type=identifier.id_type,
        id_number=identifier.asked_as,
        name=grant.party.name,
        country=identifier.country,
    )


def _question(lookup_id: UUID, subject: Subject, grant: Grant, due: float) -> Question:
    standing = grant.standing
    return Question(
        lookup=str(lookup_id),
        subject=subject,
        official=grant.statement.holder.official,
        matter=Matter(
            work_order=standing.id, kind=standing.kind, case_number=standing.case_number, court=standing.court
        ),
        deadline=due,
    )


class _Asked(BaseModel, hide_input_in_errors=True):
    """The line that stands above a stored result: who reads it again is judged by the same question."""

    court: str
    request: LookupRequest


def _stored(caller: Caller, request: LookupRequest, answer: bytes) -> bytes:
    return _Asked(court=caller.court, request=request).model_dump_json().encode() + b"\n" + answer
