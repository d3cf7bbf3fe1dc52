"""
The questions of forms: which are due, how their replies are kept, and when an agency is asked again.

A reply is kept before anything else is done with it, so that no restart asks for it again; and only while the right
lives.  The lookup itself is that of `gateway.lookup.service`.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from adapters.contract import Adapter
from audit.format.event import EventType
from audit.store.log import Log
from gateway.access.authorization import Grant
from gateway.access.rules import AccessRule
from gateway.autofill import audit_events, store
from gateway.autofill.store import Fenced, QuestionRow, StoredRequest
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.lookup.answer_cache import dump_reply, load_reply
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion
from gateway.lookup.service import DueQuestions, LookupService
from gateway.sign_on import Caller
from schemas.codes import AnswerState, Want
from schemas.lookup import LookupRequest, LookupResult, SubjectStatement
from schemas.work_order import PartyStatement

LONGEST_PAUSE: Final = timedelta(minutes=15)

Replies = tuple[AgencyReply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormParty:
    """A party of a request: its place in the statement, on whose behalf and what is asked about it."""

    place: int
    statement: PartyStatement = field(repr=False)
    caller: Caller = field(repr=False)
    wants: tuple[Want, ...]

    def lookup_request(self, work_order: str) -> LookupRequest:
        """The lookup of everything that the form wants about this party."""
        party = self.statement
        subject = SubjectStatement(
            kind=party.kind, id_type=party.id_type, id_number=party.id_number, name=party.name, country=party.country
        )
        return LookupRequest(work_order=work_order, subject=subject, want=self.wants)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyProgress:
    """
    All that is known about a party: the redacted result, the outcome record of each question, the outcomes recorded in
    this run by lookup, and when an open question is asked next.
    """

    grant: Grant
    result: LookupResult = field(repr=False)
    trail: Mapping[tuple[str, str], int]
    outcomes: Mapping[UUID, int] = field(default_factory=dict)
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FormQuestions:
    """
    Asks what is due.  `pause` is the shortest wait in seconds before an agency that was not heard is asked again.
    """

    lookups: LookupService
    agencies: Mapping[str, Adapter]
    log: Log
    database: Database
    encryption: FieldEncryption
    pause: float
    clock: Callable[[], datetime]

    async def ask(self, request: StoredRequest, party: FormParty) -> PartyProgress:
        """
        Asks what is open and due about a party, and says what is known then.

        Raises `Withheld` (recorded), `Fenced`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        rows = [row for row in request.questions if row.party == party.place]
        now = self.clock()
        due = [row for row in rows if not row.settled and (row.next_at is None or row.next_at <= now)]
        earlier = self.replies(request, rows)
        outcomes = await self._settle(request, rows, earlier)
        lookup_request = party.lookup_request(request.work_order)
        if not due:
            grant, result = await self.lookups.recall(party.caller, lookup_request, earlier, form=request.id)
        else:
            kept: list[QuestionRow] = []
            questions = DueQuestions(
                form=request.id,
                planned=tuple(map(self._planned, due)),
                earlier=earlier,
                count=not any(row.attempts for row in rows),
                store=partial(self._store, request, party, due, kept),
            )
            answers = await self.lookups.ask_due(party.caller, lookup_request, questions)
            grant, result = answers.grant, answers.result
            outcomes |= {row.lookup: answers.outcome for row in kept if row.lookup is not None}
            rows = [*(row for row in rows if row not in due), *(replace(row, outcome=answers.outcome) for row in kept)]
        return PartyProgress(
            grant=grant,
            result=result,
            trail={row.key: index for row in rows if (index := row.outcome or outcomes.get(row.lookup or request.id))},
            outcomes=outcomes,
            next_at=min((row.next_at for row in rows if row.next_at is not None), default=None),
        )

    async def recall(self, request: StoredRequest, party: FormParty) -> PartyProgress:
        """
        What is known about a party so far, for a reader; nothing is asked.  Raises as `ask` does.
        """
        rows = [row for row in request.questions if row.party == party.place]
        grant, result = await self.lookups.recall(
            party.caller, party.lookup_request(request.work_order), self.replies(request, rows), form=request.id
        )
        return PartyProgress(
            grant=grant, result=result, trail={row.key: row.outcome for row in rows if row.outcome is not None}
        )

    def replies(self, request: StoredRequest, rows: list[QuestionRow]) -> Replies:
        """The replies that are kept."""
        opened = (
            load_reply(self.encryption.open(_context(request, row), row.sealed), self.agencies)
            for row in rows
            if row.sealed is not None
        )
        return tuple(reply for reply in opened if reply is not None)

    async def _store(
        self,
        request: StoredRequest,
        party: FormParty,
        due: list[QuestionRow],
        kept: list[QuestionRow],
        lookup: UUID,
        replies: Replies,
    ) -> AccessRule | None:
        """Keeps the replies; the rule if the request ended meanwhile, whose outcome is then `withheld`."""
        kept.extend(
            replace(row, state=reply.state, next_at=self._next_at(reply, row.attempts), lookup=lookup)
            for row, reply in zip(due, replies, strict=True)
        )
        columns: dict[str, list[Any]] = {
            "agencies": [reply.agency for reply in replies],
            "capabilities": [reply.capability.name for reply in replies],
            "states": [reply.state.value for reply in replies],
            "reasons": [None if reply.reason is None else reply.reason.value for reply in replies],
            "next_ats": [row.next_at for row in kept],
            "answered_ats": [reply.answered_at for reply in replies],
            "sealed": [
                self.encryption.seal(_context(request, row), dump_reply(reply))
                for row, reply in zip(kept, replies, strict=True)
            ],
        }
        try:
            await self.database.run(store.store_answers, request, party.place, lookup, columns)
        except Fenced:
            return AccessRule.NOT_OPEN
        return None

    async def _settle(self, request: StoredRequest, rows: list[QuestionRow], replies: Replies) -> dict[UUID, int]:
        """The outcomes of lookups whose worker died after their replies were kept."""
        by_question = {(reply.agency, reply.capability.name): reply for reply in replies}
        outcomes: dict[UUID, int] = {}
        for lookup in {row.lookup for row in rows if row.lookup is not None and row.outcome is None}:
            index = await self.log.entry_index(lookup, EventType.LOOKUP_OUTCOME)
            if index is None:
                answered = [by_question[row.key] for row in rows if row.lookup == lookup and row.key in by_question]
                event = audit_events.settled(request, lookup, answered, self.clock())
                index = await audit_events.once(self.log, event)
            outcomes[lookup] = index
        return outcomes

    def _next_at(self, reply: AgencyReply, attempts: int) -> datetime | None:
        """When to ask again: as the agency or its guard says, otherwise later and later; None if this is final."""
        closed = reply.state is AnswerState.NOT_ASKED and reply.retry_after is not None
        if reply.state is not AnswerState.UNAVAILABLE and not closed:
            return None
        # Questions that wait for the same moment must not all come back at it.
        pause = min(self.pause * 2 ** min(attempts, 16), LONGEST_PAUSE.total_seconds())
        jitter = random.uniform(0.5, 1.0) * pause  # noqa: S311 - spreads load, no secret
        return reply.answered_at + timedelta(seconds=max(reply.retry_after or 0.0, 0.0) + jitter)

    def _planned(self, row: QuestionRow) -> PlannedQuestion:
        adapter = self.agencies[row.agency]
        return PlannedQuestion(adapter=adapter, capability=adapter.capabilities[row.capability])


def _context(request: StoredRequest, row: QuestionRow) -> str:
    return f"autofill|{request.id}|{row.party}|{row.agency}|{row.capability}"
