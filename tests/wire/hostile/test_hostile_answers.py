"""
What an agency, or whoever stands in its place, may send instead of an answer: it ends in one of the six states.

Each hostile answer is made of the true one and goes through the whole adapter; the true one is found.
"""

from collections.abc import Callable
from typing import Final

import pytest

from fuzz.harness import TARGETS, FuzzHarness, HttpAnswer
from schemas.codes import AnswerState, Reason
from tests.wire.hostile.catalogue import CASES, SECRETS, Change

pytestmark = pytest.mark.anyio

Harnesses = Callable[[str], FuzzHarness]
UNREADABLE: Final = (AnswerState.UNAVAILABLE, Reason.UNDECODABLE)
STANDS: Final = (AnswerState.FOUND, None)


async def true_answer(harness: FuzzHarness) -> HttpAnswer:
    """The mock agency's own answer."""
    await harness.ask()
    heard = harness.transport.last_answer
    assert heard is not None
    return heard


@pytest.mark.parametrize(
    ("target", "change"), [case[::2] for case in CASES], ids=[": ".join(case[:2]) for case in CASES]
)
async def test_a_hostile_answer_is_unavailable(harness: Harnesses, target: str, change: Change) -> None:
    """With a reason, and with the bytes kept as evidence if they were about the party."""
    played = harness(target)
    said = await true_answer(played)
    bad = change(said.body.decode())
    bad = bad if isinstance(bad, bytes) else bad.encode()
    assert bad != said.body

    answer = await played.ask(HttpAnswer(bad, said.status, said.headers))

    assert (answer.state, answer.reason) == UNREADABLE
    assert [raw.body for raw in answer.evidence.answers] == ([] if target in SECRETS else [bad])


@pytest.mark.parametrize("target", TARGETS)
async def test_the_true_answer_is_found(harness: Harnesses, target: str) -> None:
    """So that the tests around this one start from something that is read."""
    played = harness(target)

    answer = await played.ask()

    assert (answer.state, answer.reason) == STANDS
