"""
One question to each agency that can answer, in parallel, under one deadline; errors become values here.
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
    What came of one question.  `reading` is there exactly when the agency was heard (`found`, `not_found`,
    `ambiguous`); otherwise `reason` says why not, and `authority` who keeps the register instead.
    `reused_from` is the lookup that asked, where that was another one under the same grant.  Times are UTC.
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
    """A question that can be asked: the adapter and which of its capabilities."""

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
    """
    One question per (agency, capability) that concerns this kind of subject and serves a want.
    """
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
    Asks everything at once but what is `had` already; the answers in the order of the plan, each within the question's
    deadline.

    `heard` is told of each answer as it comes, and at once of what is had.
    """
    return tuple(
        await asyncio.gather(
            *(_ask_and_tell(one, question, ask_one, on_answer, cached.get(one.key)) for one in planned)
        )
    )


async def _ask_and_tell(
    planned: PlannedQuestion, question: Question, ask_one: Ask, heard: OnAnswer | None, had: AgencyReply | None
) -> AgencyReply:
    answer = await ask_one(planned, question) if had is None else had
    if heard is not None:
        await heard(answer)
    return answer


async def ask(planned: PlannedQuestion, question: Question, guards: GuardRegistry) -> AgencyReply:
    """
    Asks one question, and says in one of the six states what came of it.
    """
    with question.trace.question_span(planned.agency, planned.capability.name) as span:
        answer = await _heard(planned, question, guards)
        span.finished(answer.state.value, answer.reason.value if answer.reason else None)
    return answer


async def _heard(planned: PlannedQuestion, question: Question, guards: GuardRegistry) -> AgencyReply:
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
