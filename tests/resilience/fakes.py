"""
An agency that behaves as a script says, behind the real guards, in a time that only moves when everybody waits.

An hour of a failing agency passes in a moment: the event loop jumps to the next thing that anybody waits for.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ClassVar, TypeVar

from adapters.call_policy import AgencyPolicy, CallPolicy
from adapters.contract import Adapter, Agency, Capability, Interpretation, Question, Rows, lookup
from adapters.errors import AgencyError
from adapters.wire.clock import CorrectedClock
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion, ask
from gateway.resilience.quotas import SharedQuotas
from gateway.resilience.registry import GuardRegistry
from schemas.codes import AnswerState, IdType, Reason, SubjectKind, Want
from schemas.subject import Matter, Official, Subject

T = TypeVar("T")

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

SUBJECT = Subject(kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number="110101199001010015", name="测试")
OFFICIAL = Official(
    user="tester",
    name="测试员",
    id_number="110101198001010011",
    unit_code="1" * 18,
    unit_name="测试单位",
    terminal="T-1",
)
MATTER = Matter(work_order="T-1", kind="party-identity-check", case_number=None, court="000000")


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Never waits: what a loop would wait for is added to its clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is its own."""

    def __init__(self) -> None:
        self.clock = _Jumping()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end without waiting."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def loop_clock() -> CorrectedClock:
    """The clock of the running loop: its day begins at `START`."""
    loop = asyncio.get_running_loop()
    return CorrectedClock(now=lambda: START + timedelta(seconds=loop.time()), monotonic=loop.time)


Behaviour = Callable[[], Awaitable[None]]


async def answers() -> None:
    """Found, after a tenth of a second."""
    await asyncio.sleep(0.1)


async def hangs() -> None:
    """Nothing, ever."""
    await asyncio.Event().wait()


def slow(seconds: float) -> Behaviour:
    """Found, after so long."""

    async def behave() -> None:
        await asyncio.sleep(seconds)

    return behave


def fails(make: Callable[[], AgencyError], after: float = 0.1) -> Behaviour:
    """Raises what `make` makes."""

    async def behave() -> None:
        await asyncio.sleep(after)
        raise make()

    return behave


@dataclass(slots=True)
class ScriptedWire:
    """
    Sends nothing.  Behaves as told, and remembers when each request would have been sent.
    """

    timeout: float = 4.0
    behaviour: Behaviour = answers
    sent: list[float] = field(default_factory=list)

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        """One request, under the attempt's own timeout as every wire has it."""
        await question.permit()
        loop = asyncio.get_running_loop()
        question.evidence.attempts += 1
        self.sent.append(loop.time())
        until = min(loop.time() + self.timeout, question.deadline)
        try:
            async with asyncio.timeout_at(until):
                await self.behaviour()
        except AgencyError:
            raise
        except TimeoutError:
            raise _timeout() from None
        return Rows(records=(), answered_at=START)


def _timeout() -> AgencyError:
    from adapters.errors import AgencyTimeout

    return AgencyTimeout()


class _Scripted(Adapter):
    agency: ClassVar[Agency] = Agency(
        id="scripted",
        names={"zh": "测试机关", "en": "Scripted"},
        legal_basis="none",
        repeatable=True,
        retention_days=1,
    )

    @lookup("identity", subject=SubjectKind.PERSON, by=(IdType.RESIDENT_ID,), serves=frozenset({Want.IDENTITY}))
    async def identity(self, question: Question) -> Interpretation:
        """Who is it."""
        rows = await self.wires["identity"].ask(question, "identity", {"id_number": question.subject.id_number})
        return Interpretation(state=AnswerState.FOUND, answered_at=rows.answered_at)


@dataclass(slots=True)
class Tally:
    """What the guards report."""

    attempts: list[str] = field(default_factory=list)
    states: list[AnswerState] = field(default_factory=list)

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """Remembered."""
        self.attempts.append(outcome)

    def answered(self, agency: str, capability: str, state: AnswerState, reason: Reason | None, seconds: float) -> None:
        """Remembered."""
        self.states.append(state)


class ScriptedAgency:
    """
    One scripted agency behind guards; made inside the loop that it is used in.
    """

    def __init__(
        self, call: CallPolicy | None = None, *, quotas: SharedQuotas | None = None, seed: int = 1, **shared: Any
    ) -> None:
        call = call or CallPolicy()
        self.wire = ScriptedWire(timeout=call.timeout)
        self.tally = Tally()
        self.adapter = _Scripted({"identity": self.wire})
        self.guards = GuardRegistry(
            {"scripted": AgencyPolicy(calls={"identity": call}, **shared)},
            quotas=quotas,
            watcher=self.tally,
            clock=loop_clock(),
            random=Random(seed),
        )

    @property
    def capability(self) -> Capability:
        """The one capability there is."""
        return self.adapter.capabilities["identity"]

    def question(self, seconds: float = 10.0, lookup: str = "00000000-0000-0000-0000-000000000000") -> Question:
        """One question with so much time."""
        return Question(
            lookup=lookup,
            subject=SUBJECT,
            official=OFFICIAL,
            matter=MATTER,
            deadline=asyncio.get_running_loop().time() + seconds,
        )

    async def ask(self, seconds: float = 10.0) -> AgencyReply:
        """Asks it."""
        planned = PlannedQuestion(adapter=self.adapter, capability=self.capability)
        return await ask(planned, self.question(seconds), self.guards)

    async def said(self, seconds: float = 10.0) -> tuple[str, str | None, int]:
        """State, reason and number of requests of one question."""
        answer = await self.ask(seconds)
        return answer.state.value, answer.reason.value if answer.reason else None, answer.evidence.attempts
