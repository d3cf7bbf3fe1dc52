"""
Any spoiled answer, and any bytes: a reading or an error of ours, in one of the six states, with the evidence kept.

The short form of `make fuzz`, which follows the branches of the readers for as long as one likes.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.harness import CORPUS, TARGETS, FuzzHarness, HttpAnswer
from fuzz.mutations import mutate
from schemas.codes import AnswerState

Harnesses = Callable[[str], FuzzHarness]
SHORT: Final = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EVERY: Final = pytest.mark.parametrize("target", TARGETS)
HEARD: Final = frozenset({AnswerState.FOUND, AnswerState.NOT_FOUND, AnswerState.AMBIGUOUS})
SILENT: Final = frozenset({AnswerState.UNAVAILABLE, AnswerState.REFUSED})
CORPORA: Final = sorted(CORPUS.glob("*/*"))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all examples."""
    with asyncio.Runner() as runner:
        yield runner


@cache
def seeds(played: FuzzHarness, runner: asyncio.Runner) -> tuple[HttpAnswer, ...]:
    """What the mock agency can say."""
    return tuple(runner.run(played.seeds()).values())


def check(played: FuzzHarness, runner: asyncio.Runner, said: HttpAnswer) -> None:
    """The answer ends in a state that has what belongs to it."""
    answer = runner.run(played.ask(said))

    assert answer.state in HEARD | SILENT
    assert (answer.reading is not None) == (answer.state in HEARD)
    assert answer.reason is not None or answer.state in {AnswerState.FOUND, AnswerState.NOT_FOUND}
    assert said.body in [raw.body for raw in answer.evidence.answers] or played.target.secret or encoded(said)


def encoded(said: HttpAnswer) -> bool:
    """Whether the answer was refused for its encoding, before its body came."""
    return any(name == b"content-encoding" for name, _ in said.headers)


@EVERY
@SHORT
@given(random=st.randoms(use_true_random=False))
def test_a_spoiled_answer_ends_in_a_state(
    harness: Harnesses, runner: asyncio.Runner, target: str, random: Random
) -> None:
    """One to three things wrong with what the agency can say."""
    played = harness(target)
    check(played, runner, mutate(random.choice(seeds(played, runner)), random))


@EVERY
@settings(SHORT, max_examples=40)
@given(body=st.binary(max_size=300), label=st.sampled_from(["application/json", "text/xml"]))
def test_any_bytes_end_in_a_state(
    harness: Harnesses, runner: asyncio.Runner, target: str, body: bytes, label: str
) -> None:
    """Under a label that is read."""
    check(harness(target), runner, HttpAnswer(body, headers=((b"content-type", label.encode()),)))


@pytest.mark.parametrize("file", CORPORA, ids=["/".join(file.parts[-2:]) for file in CORPORA])
def test_what_fuzzing_found_once_ends_in_its_state(harness: Harnesses, runner: asyncio.Runner, file: Path) -> None:
    """Each kept find is named after the state and reason that it ends in."""
    answer = runner.run(harness(file.parent.name).ask(HttpAnswer.from_file(file.read_bytes())))

    assert f"{answer.state}-{answer.reason or ''}".rstrip("-") == file.stem.partition(".")[0]
