"""
What the guards do with one agency that fails in each way: how often it is asked, when, and what the caller is told.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.call_policy import BreakerPolicy, CallPolicy, Hours
from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyRefused,
    AgencyThrottled,
    AgencyTimeout,
    AgencyUnavailable,
    AgencyUnreachable,
    AnswerUnreadable,
    CredentialsRejected,
)
from schemas.codes import AnswerState, Reason
from tests.resilience import fakes
from tests.resilience.fakes import ScriptedAgency, in_virtual_time

NEVER_OPENS = BreakerPolicy(failures=1000, calls=10_000)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        # Worth another attempt, three in all.
        (lambda: AgencyUnreachable(sent=False), ("unavailable", "unreachable", 3)),
        (lambda: AgencyUnreachable(sent=True), ("unavailable", "unreachable", 3)),
        (lambda: AgencyUnavailable(Reason.HTTP), ("unavailable", "http", 3)),
        (AgencyTimeout, ("unavailable", "timeout", 3)),
        # One more for an answer that broke off.
        (lambda: AnswerUnreadable(at="body"), ("unavailable", "undecodable", 2)),
        # None.
        (lambda: AnswerUnreadable(Reason.UNKNOWN_CODE, at="datas/AAC031"), ("unavailable", "unknown_code", 1)),
        (lambda: AnswerUnreadable(Reason.MISSING_LEAF, at="datas/AAC002"), ("unavailable", "missing_leaf", 1)),
        (lambda: AgencyFault(Reason.FAULT), ("unavailable", "fault", 1)),
        (lambda: AgencyFault(Reason.CERTIFICATE), ("unavailable", "certificate", 1)),
        (AgencyRefused, ("refused", "no_permission", 1)),
        (CredentialsRejected, ("unavailable", "auth", 1)),
        (AgencyThrottled, ("unavailable", "throttled", 1)),
        (lambda: AgencyThrottled(3600, reason=Reason.QUOTA), ("unavailable", "quota", 1)),
        (lambda: AgencyThrottled(60), ("unavailable", "throttled", 1)),
        # What the agency asks for fits into the deadline: obeyed, and asked again.
        (lambda: AgencyThrottled(3.0), ("unavailable", "throttled", 3)),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_attempts_are_repeated_only_for_repeatable_errors(
    error: Callable[[], AgencyError], expected: tuple[str, str, int]
) -> None:
    async def main() -> tuple[str, str | None, int]:
        agency = ScriptedAgency(CallPolicy(breaker=NEVER_OPENS))
        agency.wire.behaviour = fakes.fails(error)
        return await agency.said()

    assert in_virtual_time(main()) == expected


def test_an_agency_that_is_not_repeatable_is_asked_once() -> None:
    async def main() -> tuple[str, str | None, int]:
        agency = ScriptedAgency(CallPolicy(attempts=1))
        agency.wire.behaviour = fakes.fails(lambda: AgencyUnavailable(Reason.HTTP))
        return await agency.said()

    assert in_virtual_time(main()) == ("unavailable", "http", 1)


def test_a_hanging_agency_ends_at_the_deadline_without_late_attempts() -> None:
    async def main() -> tuple[tuple[str, str | None, int], list[float], float]:
        agency = ScriptedAgency(CallPolicy(timeout=4.0))
        agency.wire.behaviour = fakes.hangs
        reply = await agency.said(10.0)
        return reply, [round(at) for at in agency.wire.sent], round(asyncio.get_running_loop().time(), 1)

    # Two attempts of four seconds, and a third with what is left of the ten, less the margin for the records.
    assert in_virtual_time(main()) == (("unavailable", "timeout", 3), [0, 4, 8], 9.8)


def test_an_agency_that_recovers_answers_the_next_attempt() -> None:
    async def main() -> tuple[str, str | None, int]:
        agency = ScriptedAgency()
        failing = fakes.fails(lambda: AgencyUnavailable(Reason.HTTP))

        async def once() -> None:
            agency.wire.behaviour = fakes.answers
            await failing()

        agency.wire.behaviour = once
        return await agency.said()

    assert in_virtual_time(main()) == ("found", None, 2)


def test_retry_after_pauses_the_agency() -> None:
    async def main() -> list[tuple[str, str | None, int]]:
        agency = ScriptedAgency()
        agency.wire.behaviour = fakes.fails(lambda: AgencyThrottled(30))
        replies = [await agency.said()]
        agency.wire.behaviour = fakes.answers
        replies.append(await agency.said())
        await asyncio.sleep(30)
        replies.append(await agency.said())
        return replies

    assert in_virtual_time(main()) == [
        ("unavailable", "throttled", 1),
        ("unavailable", "throttled", 0),
        ("found", None, 1),
    ]


def test_the_answer_says_when_to_ask_again() -> None:
    async def main() -> list[float | None]:
        agency = ScriptedAgency()
        agency.wire.behaviour = fakes.fails(lambda: AgencyThrottled(30))
        first = await agency.ask()
        await asyncio.sleep(10)
        second = await agency.ask()
        return [first.retry_after, None if second.retry_after is None else round(second.retry_after)]

    assert in_virtual_time(main()) == [30, 20]


def test_the_breaker_opens_for_a_failing_agency_and_closes_again() -> None:
    async def main() -> list[tuple[str, str | None, int]]:
        agency = ScriptedAgency(CallPolicy(attempts=1))
        agency.wire.behaviour = fakes.fails(lambda: AgencyUnreachable(sent=False))
        replies = [await agency.said() for _ in range(6)]
        agency.wire.behaviour = fakes.answers
        await asyncio.sleep(17)
        return [*replies[4:], *[await agency.said() for _ in range(3)]]

    assert in_virtual_time(main()) == [
        ("unavailable", "unreachable", 1),
        ("unavailable", "resting", 0),
        ("found", None, 1),
        ("found", None, 1),
        ("found", None, 1),
    ]


def test_the_breaker_opens_for_a_slow_agency() -> None:
    async def main() -> tuple[str, str | None, int]:
        agency = ScriptedAgency(CallPolicy(timeout=4.0), in_flight=50)
        agency.wire.behaviour = fakes.slow(3.5)
        await asyncio.gather(*(agency.ask() for _ in range(20)))
        return await agency.said()

    assert in_virtual_time(main()) == ("unavailable", "resting", 0)


def test_cancelled_questions_do_not_open_the_breaker() -> None:
    async def main() -> tuple[str, str | None, int]:
        agency = ScriptedAgency(in_flight=100)
        agency.wire.behaviour = fakes.slow(1.0)
        questions = [asyncio.ensure_future(agency.ask()) for _ in range(100)]
        await asyncio.sleep(0.5)
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        return await agency.said()

    assert in_virtual_time(main()) == ("found", None, 1)


def test_a_flood_of_questions_is_refused_in_time() -> None:
    async def main() -> dict[tuple[str, str | None, int], int]:
        agency = ScriptedAgency(in_flight=5, queue=10, longest_wait=1.0)
        agency.wire.behaviour = fakes.slow(0.9)
        replies = await asyncio.gather(*(agency.said() for _ in range(50)))
        return {reply: replies.count(reply) for reply in replies}

    assert in_virtual_time(main()) == {("found", None, 1): 10, ("unavailable", "overloaded", 0): 40}


def test_a_closed_agency_is_not_asked_and_its_opening_is_stated() -> None:
    hours = Hours(days=frozenset({"mon", "tue"}), opens=time(9), closes=time(17))

    async def main() -> list[tuple[str, str | None, float | None]]:
        agency = ScriptedAgency(CallPolicy(hours=hours))
        replies = []
        # Tuesday 10:00 in China, 17:30, and Monday of the next week.
        for sleep in (0.0, 7.5 * 3600, 5 * 86_400 + 15.5 * 3600):
            await asyncio.sleep(sleep)
            answer = await agency.ask()
            replies.append((answer.state.value, answer.reason and answer.reason.value, answer.retry_after))
        return replies

    assert in_virtual_time(main()) == [
        ("found", None, None),
        ("not_asked", "outside_hours", pytest.approx(5 * 86_400 + 15.5 * 3600 - 0.1)),
        ("found", None, None),
    ]


def test_an_agency_that_reports_itself_closed_is_asked_at_its_next_opening() -> None:
    async def main() -> float | None:
        # It closed half an hour earlier than agreed.
        agency = ScriptedAgency(CallPolicy(hours=Hours(opens=time(9), closes=time(10, 30))))
        agency.wire.behaviour = fakes.fails(lambda: AgencyThrottled(reason=Reason.OUTSIDE_HOURS), after=0.0)
        return (await agency.ask()).retry_after

    # It is 10:00 and the calendar says open: nobody knows better than to try again later.
    assert in_virtual_time(main()) is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answers", "hangs", "down", "throttled", "garbage", "slow", "refuses"]),
        st.integers(0, 25),
        st.floats(0.0, 20.0),
    ),
    min_size=1,
    max_size=25,
)
BEHAVIOURS = {
    "answers": fakes.answers,
    "hangs": fakes.hangs,
    "down": fakes.fails(lambda: AgencyUnreachable(sent=False), after=0.001),
    "throttled": fakes.fails(lambda: AgencyThrottled(2.0)),
    "garbage": fakes.fails(lambda: AnswerUnreadable(at="body")),
    "slow": fakes.slow(3.9),
    "refuses": fakes.fails(AgencyRefused),
}


@given(STEPS, st.integers(0, 1000))
@settings(max_examples=150)
def test_attempts_stay_within_the_budget_and_answers_within_the_deadline(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        agency = ScriptedAgency(seed=seed, in_flight=10, queue=20)
        questions: list[float] = []
        late: list[float] = []

        async def ask_once() -> None:
            began = loop.time()
            questions.append(began)
            answer = await agency.ask(10.0)
            late.append(loop.time() - began - 10.0)
            assert answer.state in AnswerState

        tasks = []
        for behaviour, count, pause in steps:
            agency.wire.behaviour = BEHAVIOURS[behaviour]
            tasks += [asyncio.ensure_future(ask_once()) for _ in range(count)]
            await asyncio.sleep(pause)
        await asyncio.gather(*tasks)

        sent = agency.wire.sent
        for begins in {*sent, *questions}:
            # A question that began before the minute may send its first request within it.
            of_it = sum(begins - 10 <= at < begins + 60 for at in questions)
            assert sum(begins <= at < begins + 60 for at in sent) <= 1.1 * of_it + 10
        assert max(late, default=0.0) <= 0.25
        agency.wire.behaviour = fakes.answers
        await asyncio.sleep(700)
        assert [await agency.said() for _ in range(3)] == [("found", None, 1)] * 3
        [state] = agency.guards.states()
        assert (state.in_flight, state.waiting, state.breaker.value) == (0, 0, "closed")

    in_virtual_time(main())


def test_the_status_shows_breaker_limits_and_budget() -> None:
    async def main() -> tuple[object, ...]:
        agency = ScriptedAgency()
        await agency.ask()
        [state] = agency.guards.states()
        return state.breaker.value, state.in_flight_limit, state.last_state, state.budget_left, agency.tally.attempts

    assert in_virtual_time(main()) == ("closed", 10, AnswerState.FOUND, 10.0, ["answered"])


CHINA_TIME = "%Y-%m-%d %H:%M"


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-24 08:59", "2026-11-24 09:00"),
        ("2026-11-24 09:00", "2026-11-24 09:00"),
        ("2026-11-24 16:59", "2026-11-24 16:59"),
        ("2026-11-24 17:00", "2026-11-25 09:00"),
        ("2026-11-27 18:00", "2026-11-28 09:00"),  # a Saturday on which people work instead
        ("2026-11-28 18:00", "2026-12-01 09:00"),  # Monday is a holiday
        ("2026-12-02 10:00", "2026-12-02 12:00"),  # maintenance
        ("2026-12-03 08:00", "2026-12-03 10:00"),  # maintenance over the opening
    ],
)
def test_an_agency_opens_next_as_its_calendar_says(moment: str, opens: str) -> None:
    def china(text: str) -> datetime:
        return datetime.strptime(text, CHINA_TIME).replace(tzinfo=hours.zone)

    hours = Hours(
        days=frozenset({"mon", "tue", "wed", "thu", "fri"}),
        opens=time(9),
        closes=time(17),
        holidays=frozenset({date(2026, 11, 30)}),
        working_days=frozenset({date(2026, 11, 28)}),
    )
    hours = Hours(
        **{name: getattr(hours, name) for name in ("days", "opens", "closes", "holidays", "working_days")},
        maintenance=(
            (china("2026-12-02 09:30"), china("2026-12-02 12:00")),
            (china("2026-12-03 07:00"), china("2026-12-03 10:00")),
        ),
    )
    next_opening = hours.next_opening(china(moment).astimezone(UTC))

    assert next_opening is not None
    assert next_opening.astimezone(hours.zone).strftime(CHINA_TIME) == opens


@given(st.integers(0, 334 * 86_400), st.integers(0, 23), st.integers(1, 24))
def test_the_next_opening_is_open_and_now_if_open(second: int, opens: int, hours: int) -> None:
    closes = opens + hours
    when = Hours(days=frozenset({"tue", "sat"}), opens=time(opens), closes=time(closes) if closes < 24 else None)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    opening = when.next_opening(moment)

    assert opening is not None
    assert when.open_at(opening)
    assert opening == moment or not when.open_at(moment)
