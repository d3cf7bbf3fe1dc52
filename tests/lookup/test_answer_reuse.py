"""
Reuse of answers: concurrent equal questions are sent once, and a fresh answer is served from the cache with its age.
"""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from gateway.lookup.fan_out import AgencyReply, PlannedQuestion
from gateway.lookup.single_flight import SingleFlight
from tests.court import RunningCourt
from tests.resilience import fakes
from tests.resilience.fakes import ScriptedAgency, in_virtual_time

A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


async def _ask(single_flight: SingleFlight, agency: ScriptedAgency, grant: str, lookup: str) -> AgencyReply:
    planned = PlannedQuestion(adapter=agency.adapter, capability=agency.capability)
    return await single_flight.ask(grant, planned, agency.question(lookup=lookup))


def test_concurrent_equal_questions_are_sent_once() -> None:
    async def main() -> tuple[int, list[UUID | None], list[int]]:
        agency = ScriptedAgency()
        single_flight = SingleFlight(agency.guards)
        answers = await asyncio.gather(*(_ask(single_flight, agency, "grant", lookup) for lookup in (A, B, B)))
        await _ask(single_flight, agency, "grant", B)
        return (
            len(agency.wire.sent),
            [reply.reused_from for reply in answers],
            [reply.evidence.attempts for reply in answers],
        )

    # The fourth question came when no other was in flight.
    assert in_virtual_time(main()) == (2, [None, UUID(A), UUID(A)], [1, 0, 0])


def test_questions_of_two_grants_are_sent_separately() -> None:
    async def main() -> int:
        agency = ScriptedAgency()
        single_flight = SingleFlight(agency.guards)
        await asyncio.gather(*(_ask(single_flight, agency, grant, A) for grant in ("grant 1", "grant 2")))
        return len(agency.wire.sent)

    assert in_virtual_time(main()) == 2


def test_cancelled_callers_do_not_cancel_the_remaining_one() -> None:
    async def main() -> tuple[int, list[str]]:
        agency = ScriptedAgency()
        agency.wire.behaviour = fakes.slow(1.0)
        single_flight = SingleFlight(agency.guards)
        first, second, third = (
            asyncio.ensure_future(_ask(single_flight, agency, "grant", lookup)) for lookup in (A, B, B)
        )
        await asyncio.sleep(0.5)
        second.cancel()
        first.cancel()
        answer = await third
        return len(agency.wire.sent), [answer.state.value, str(answer.reused_from)]

    # The third caller asked again after the first was cancelled.
    assert in_virtual_time(main()) == (2, ["found", "None"])


def _police_answer(result: dict[str, Any], capability: str) -> dict[str, Any]:
    key = ("public_security", capability)
    return next(answer for answer in result["answers"] if (answer["agency"], answer["capability"]) == key)


@pytest.fixture
def order(court: RunningCourt) -> str:
    return court.dispatch(court.cast["moved"])


def test_cached_answer_is_released_with_the_lookup_that_asked(court: RunningCourt, order: str) -> None:
    first = court.look_up(order, court.cast["moved"]).json()
    second = court.look_up(order, court.cast["moved"], max_age=3600).json()
    indexes = {second["audit"]["intent"], second["audit"]["outcome"]}
    events = [event for event in court.events(work_order=order) if int(event["index"]) in indexes]

    assert "reused_from" not in _police_answer(first, "identity")
    assert _police_answer(second, "identity") == _police_answer(first, "identity") | {
        "reused_from": first["id"],
        "attempts": 0,
    }
    assert second["identity"] == first["identity"]
    assert second["addresses"] == first["addresses"]
    intent, outcome = (event["event"] for event in events)
    assert (intent["type"], "ask" in intent, "heard" in outcome) == ("lookup.intent", False, False)
    assert f"public_security.identity:{first['id']}" in outcome["detail"]["reused"]


def test_max_age_zero_bypasses_the_cache(court: RunningCourt, order: str) -> None:
    court.look_up(order, court.cast["moved"])
    second = court.look_up(order, court.cast["moved"], max_age=0).json()

    assert not any("reused_from" in answer for answer in second["answers"])


def test_cached_answer_is_never_served_to_another_work_order(court: RunningCourt, order: str) -> None:
    court.look_up(order, court.cast["moved"])
    other = court.look_up(court.dispatch(court.cast["moved"]), court.cast["moved"], max_age=3600).json()

    assert not any("reused_from" in answer for answer in other["answers"])


def test_unreadable_cache_entry_is_asked_again(court: RunningCourt, order: str) -> None:
    """A swapped row, or one that another version wrote, costs a question but never an answer."""
    court.look_up(order, court.cast["moved"])
    # What is reused has been written; the first lookup does not wait for that.
    assert any("reused_from" in answer for answer in court.look_up(order, court.cast["moved"]).json()["answers"])
    with psycopg.connect(str(court.demo.settings.owner_url).replace("+psycopg", "")) as owner:
        owner.execute("UPDATE received_answer SET sealed = sha256(sealed)")
    answer = court.look_up(order, court.cast["moved"], max_age=3600)

    assert answer.status_code == 200
    assert not any("reused_from" in entry for entry in answer.json()["answers"])


def test_unavailable_agency_is_asked_again(court: RunningCourt, order: str, healed: Any) -> None:
    healed("human_resources", "server_error")
    first = court.look_up(order, court.cast["moved"]).json()
    court.demo.outside.heal("human_resources")
    second = court.look_up(order, court.cast["moved"], max_age=3600).json()
    states = [
        {answer["agency"]: (answer["state"], "reused_from" in answer) for answer in result["answers"]}
        for result in (first, second)
    ]

    assert states[0]["human_resources"] == ("unavailable", False)
    assert states[1]["human_resources"] == ("found", False)
    assert states[1]["public_security"] == ("found", True)
