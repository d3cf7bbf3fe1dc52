"""
The three parts by themselves: when a breaker opens and closes, what a budget allows, whom a bulkhead lets in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call_policy import BreakerPolicy
from gateway.resilience.limiters import Breaker, Bulkhead, BulkheadFull, RetryBudget
from tests.resilience.fakes import in_virtual_time


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Steady(Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return 1.0


def breaker(hands: Hands, **policy: float) -> Breaker:
    return Breaker(BreakerPolicy(**policy), hands, random=Steady())  # type: ignore[arg-type]


def test_a_breaker_opens_half_opens_and_closes_as_declared() -> None:
    hands = Hands()
    under_test = breaker(hands)
    seen = []

    def step(*moves: str) -> None:
        for move in moves:
            if move == "wait":
                hands.now += 15
            elif under_test.admit():
                getattr(under_test, move)()
        seen.append(under_test.state.value)

    step("failed", "failed", "failed", "failed")
    step("failed")
    step("succeeded")
    step("wait")
    step("succeeded")
    step("succeeded")

    assert seen == ["closed", "open", "open", "half_open", "half_open", "closed"]


def test_a_failed_probe_doubles_the_rest_up_to_the_longest() -> None:
    hands = Hands()
    under_test = breaker(hands, open_for=15, longest=50)
    for _ in range(5):
        under_test.failed()
    rests = [under_test.wait]
    for _ in range(3):
        hands.now += under_test.wait or 0
        assert under_test.admit()
        under_test.failed()
        rests.append(under_test.wait)

    assert rests == [15, 30, 50, 50]


def test_half_open_lets_one_question_through_at_a_time() -> None:
    hands = Hands()
    under_test = breaker(hands)
    for _ in range(5):
        under_test.failed()
    hands.now += 15

    assert [under_test.admit(), under_test.admit()] == [True, False]
    under_test.dropped()
    assert under_test.admit()


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        (["succeeded", "failed"] * 9 + ["succeeded"], "closed"),  # 19 calls are too few
        (["succeeded", "failed"] * 10, "open"),  # half of twenty
        (["succeeded", "succeeded", "failed"] * 10, "closed"),  # a third
        (["slow"] * 16 + ["succeeded"] * 4, "open"),  # four of five were slow
        (["slow"] * 15 + ["succeeded"] * 5, "closed"),
        (["dropped"] * 50, "closed"),  # our own cancellations say nothing
    ],
)
def test_a_breaker_weighs_shares_only_of_enough_calls(moves: list[str], state: str) -> None:
    under_test = breaker(Hands(), failures=1000)
    for move in moves:
        under_test.succeeded(slow=True) if move == "slow" else getattr(under_test, move)()

    assert under_test.state.value == state


def test_failures_older_than_the_window_are_forgotten() -> None:
    hands = Hands()
    under_test = breaker(hands, failures=1000)
    for _ in range(19):
        under_test.failed()
    hands.now += 30
    for _ in range(21):
        under_test.succeeded()

    assert under_test.state.value == "closed"


@given(st.lists(st.sampled_from(["succeeded", "failed", "dropped", "wait"]), max_size=60))
def test_a_breaker_never_closes_without_a_success(moves: list[str]) -> None:
    hands = Hands()
    under_test = breaker(hands)
    before = under_test.state.value
    for move in moves:
        if move == "wait":
            hands.now += 7.5
        elif under_test.admit():
            getattr(under_test, move)()
        after = under_test.state.value
        assert not (before != "closed" and after == "closed" and move != "succeeded")
        before = after


def test_the_budget_is_ten_plus_a_tenth_of_the_first_attempts() -> None:
    hands = Hands()
    budget = RetryBudget(hands)
    quiet = sum(budget.take() for _ in range(20))
    hands.now += 61
    for _ in range(100):
        budget.first()
    hands.now += 1
    busy = sum(budget.take() for _ in range(100))

    assert (quiet, busy) == (10, 10)


@given(
    st.lists(
        st.tuples(st.sampled_from(["first", "take", "wait"]), st.integers(1, 40), st.floats(0.01, 20.0)), max_size=80
    )
)
def test_repeats_of_any_minute_stay_within_the_budget(steps: list[tuple[str, int, float]]) -> None:
    hands = Hands()
    budget = RetryBudget(hands)
    firsts: list[float] = []
    repeats: list[float] = []
    for step, times, seconds in steps:
        if step == "wait":
            hands.now += seconds
        for _ in range(times):
            if step == "first":
                budget.first()
                firsts.append(hands.now)
            elif step == "take" and budget.take():
                repeats.append(hands.now)

    for begins in {*firsts, *repeats}:
        within = [sum(begins <= at < begins + 60 for at in times) for times in (firsts, repeats)]
        assert within[1] <= 0.1 * within[0] + 10


@asynccontextmanager
async def in_place(bulkhead: Bulkhead, until: float) -> AsyncIterator[None]:
    """A place until the block is left, as the guard takes it."""
    await bulkhead.acquire(until)
    try:
        yield
    finally:
        bulkhead.release()


def test_a_bulkhead_bounds_slots_and_queue() -> None:
    async def main() -> list[str]:
        bulkhead = Bulkhead(in_flight=2, queue=3, longest_wait=1.0)
        most = 0

        async def enter(number: int) -> str:
            nonlocal most
            try:
                async with in_place(bulkhead, until=100.0):
                    most = max(most, bulkhead.in_flight)
                    await asyncio.sleep(0.6)
                    return f"{number} at {asyncio.get_running_loop().time():.1f}"
            except BulkheadFull:
                return f"{number} full at {asyncio.get_running_loop().time():.1f}"

        ended = await asyncio.gather(*(enter(number) for number in range(7)))
        return [*ended, f"{most} at once", f"{bulkhead.in_flight} {bulkhead.waiting} left"]

    assert in_virtual_time(main()) == [
        "0 at 0.6",
        "1 at 0.6",
        "2 at 1.2",
        "3 at 1.2",
        "4 full at 1.0",
        "5 full at 0.0",
        "6 full at 0.0",
        "2 at once",
        "0 0 left",
    ]


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 2), st.floats(0.001, 3)), max_size=40))
def test_a_bulkhead_serves_again_after_any_cancellations(storm: list[tuple[float, float, float]]) -> None:
    async def main() -> tuple[int, int, int]:
        bulkhead = Bulkhead(in_flight=3, queue=5, longest_wait=1.0)

        async def enter(begins: float, takes: float, gives_up: float) -> None:
            await asyncio.sleep(begins)
            try:
                async with asyncio.timeout(gives_up), in_place(bulkhead, until=100.0):
                    await asyncio.sleep(takes)
            except (BulkheadFull, TimeoutError):
                pass

        await asyncio.gather(*(enter(*times) for times in storm))
        served = 0
        for _ in range(3):
            async with in_place(bulkhead, until=200.0):
                served += 1
        return served, bulkhead.in_flight, bulkhead.waiting

    assert in_virtual_time(main()) == (3, 0, 0)
