"""
The fan-out of a lookup: one question to each capability, concurrently, under one deadline; errors become values.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

from adapters.contract import Adapter, AnswerEvidence, Capability, Interpretation, Question
from adapters.errors import AgencyClosed, AgencyError, AgencyRefused, UnsupportedLookup
from gateway.resilience.registry import GuardRegistry
from schemas.codes import AnswerState, Reason, Want
from schemas.identifiers import Authority
from schemas.subject import Subject

# The answers must still be merged and recorded within the deadline of the lookup.
MARGIN = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyReply:
    """
    The outcome of one question.  `reading` is set exactly for an answer (`found`, `not_found`, `ambiguous`); otherwise
    `reason` is the cause, and `authority` keeps the register instead.  `reused_from` is the lookup that asked, if that
    was another one with the same grant.  Times are UTC.
    """

    agency: str
    capability: Capability
    state: AnswerState
    asked_at: datetime
    answered_at: datetime
    reason: Reason | None = None
    reading: Interpretation | None = field(default=None, repr=False)
    retry_after: float | None = None
    authority: Authority | None = None
    evidence: AnswerEvidence = field(default_factory=AnswerEvidence, repr=False)
    reused_from: UUID | None = None

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds between question and answer, by our clock."""
        return round((self.answered_at - self.asked_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedQuestion:
    """A question that can be asked: an adapter and one of its capabilities."""

    adapter: Adapter
    capability: Capability

    @property
    def agency(self) -> str:
        """The agency's id."""
        return self.adapter.agency.id

    @property
    def key(self) -> tuple[str, str]:
        """Agency and capability."""
        return self.adapter.agency.id, self.capability.name


OnAnswer = Callable[[AgencyReply], Awaitable[None]]


def plan(agencies: Mapping[str, Adapter], subject: Subject, wants: Iterable[Want]) -> tuple[PlannedQuestion, ...]:
    """One question for each capability that concerns this kind of subject and serves a want."""
    wanted = frozenset(wants)
    return tuple(
        PlannedQuestion(adapter=adapter, capability=capability)
        for adapter in agencies.values()
        for capability in adapter.capabilities.values()
        if capability.subject is subject.kind and not wanted.isdisjoint(capability.serves)
    )


Ask = Callable[[PlannedQuestion, Question], Awaitable[AgencyReply]]


async def ask_all(
    planned: Iterable[PlannedQuestion],
    question: Question,
    ask_one: Ask,
    on_answer: OnAnswer | None = None,
    cached: Mapping[tuple[str, str], AgencyReply] = MappingProxyType({}),
) -> tuple[AgencyReply, ...]:
    """
    Runs all planned questions concurrently, skipping those in `cached`; returns the replies in the order of the plan,
    each within the deadline of `question`.  `on_answer` is called for every reply as it arrives, cached ones first.
    """

    async def reply_to(planned_question: PlannedQuestion) -> AgencyReply:
        reply = cached.get(planned_question.key) or await ask_one(planned_question, question)
        if on_answer is not None:
            await on_answer(reply)
        return reply

    return tuple(await asyncio.gather(*map(reply_to, planned)))


async def ask(planned: PlannedQuestion, question: Question, guards: GuardRegistry) -> AgencyReply:
    """
    Asks one question; an error of the agency becomes one of the six states.
    """
    with question.trace.question_span(planned.agency, planned.capability.name) as span:
        answer = await _reply(planned, question, guards)
        span.finished(answer.state.value, answer.reason.value if answer.reason else None)
    return answer


async def _reply(planned: PlannedQuestion, question: Question, guards: GuardRegistry) -> AgencyReply:
    own = replace(question, deadline=question.deadline - MARGIN, evidence=AnswerEvidence())
    asked_at = datetime.now(UTC)
    reading: Interpretation | None = None
    reason: Reason | None = None
    retry_after: float | None = None
    authority: Authority | None = None
    try:
        reading = await guards.ask(planned.adapter, planned.capability, own)
        state, reason = reading.state, reading.reason
    except UnsupportedLookup as error:
        state, reason, authority = AnswerState.NOT_ASKED, error.reason, error.authority
    except AgencyClosed as error:
        state, reason, retry_after = AnswerState.NOT_ASKED, error.reason, error.retry_after
    except AgencyRefused as error:
        state, reason = AnswerState.REFUSED, error.reason
    except AgencyError as error:
        state, reason, retry_after = AnswerState.UNAVAILABLE, error.reason, error.retry_after
    answer = AgencyReply(
        agency=planned.agency,
        capability=planned.capability,
        state=state,
        reason=reason,
        reading=reading,
        retry_after=retry_after,
        authority=authority,
        asked_at=asked_at,
        answered_at=datetime.now(UTC),
        evidence=own.evidence,
    )
    guards.answered(
        answer.agency,
        answer.capability.name,
        state,
        reason,
        at=answer.answered_at,
        seconds=answer.elapsed_ms / 1000,
        drift=len(reading.drift) if reading else 0,
    )
    return answer
