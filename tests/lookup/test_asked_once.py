"""
Nobody is asked twice for the same: equal questions at once are one, a fresh answer is released again and says its age.
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


async def _ask(joint: SingleFlight, agency: ScriptedAgency, grant: str, lookup: str) -> AgencyReply:
    planned = PlannedQuestion(adapter=agency.adapter, capability=agency.capability)
    return await joint.ask(grant, planned, agency.question(lookup=lookup))


def test_equal_questions_at_once_are_one() -> None:
    async def main() -> tuple[int, list[UUID | None], list[int]]:
        agency = ScriptedAgency()
        joint = SingleFlight(agency.guards)
        answers = await asyncio.gather(*(_ask(joint, agency, "grant", lookup) for lookup in (A, B, B)))
        await _ask(joint, agency, "grant", B)
        return len(agency.wire.sent), [one.reused_from for one in answers], [one.evidence.attempts for one in answers]

    # The fourth came when nothing was out any more.
    assert in_virtual_time(main()) == (2, [None, UUID(A), UUID(A)], [1, 0, 0])


def test_questions_under_two_grants_are_never_one() -> None:
    async def main() -> int:
        agency = ScriptedAgency()
        joint = SingleFlight(agency.guards)
        await asyncio.gather(*(_ask(joint, agency, grant, A) for grant in ("one", "other")))
        return len(agency.wire.sent)

    assert in_virtual_time(main()) == 2


def test_whoever_leaves_does_not_take_the_answer_of_the_others_along() -> None:
    async def main() -> tuple[int, list[str]]:
        agency = ScriptedAgency()
        agency.wire.behaviour = fakes.slow(1.0)
        joint = SingleFlight(agency.guards)
        first, second, third = (asyncio.ensure_future(_ask(joint, agency, "grant", lookup)) for lookup in (A, B, B))
        await asyncio.sleep(0.5)
        second.cancel()
        first.cancel()
        answer = await third
        return len(agency.wire.sent), [answer.state.value, str(answer.reused_from)]

    # The third asked anew when the first had gone.
    assert in_virtual_time(main()) == (2, ["found", "None"])


def _agency(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in answer["answers"] if (one["agency"], one["capability"]) == ("public_security", name))


@pytest.fixture
def fresh(court: RunningCourt) -> str:
    return court.dispatch(court.cast["moved"])


def test_a_fresh_answer_is_released_again_and_says_whose_it_is(court: RunningCourt, fresh: str) -> None:
    first = court.look_up(fresh, court.cast["moved"]).json()
    second = court.look_up(fresh, court.cast["moved"], max_age=3600).json()
    places = {second["audit"]["intent"], second["audit"]["outcome"]}
    asked = [event for event in court.events(work_order=fresh) if int(event["index"]) in places]

    assert "reused_from" not in _agency(first, "identity")
    assert _agency(second, "identity") == _agency(first, "identity") | {"reused_from": first["id"], "attempts": 0}
    assert second["identity"] == first["identity"]
    assert second["addresses"] == first["addresses"]
    intent, outcome = (event["event"] for event in asked)
    assert (intent["type"], "asked" in intent, "answered" in outcome) == ("lookup.intent", False, False)
    assert f"public_security.identity:{first['id']}" in outcome["detail"]["reused"]


def test_who_wants_everything_anew_gets_it_anew(court: RunningCourt, fresh: str) -> None:
    court.look_up(fresh, court.cast["moved"])
    second = court.look_up(fresh, court.cast["moved"], max_age=0).json()

    assert not any("reused_from" in one for one in second["answers"])


def test_another_work_order_never_gets_it(court: RunningCourt, fresh: str) -> None:
    court.look_up(fresh, court.cast["moved"])
    other = court.look_up(court.dispatch(court.cast["moved"]), court.cast["moved"], max_age=3600).json()

    assert not any("reused_from" in one for one in other["answers"])


def test_what_cannot_be_opened_is_asked_for_again(court: RunningCourt, fresh: str) -> None:
    """Whoever put another's row in its place, or a version that wrote it otherwise: it costs a question, no answer."""
    court.look_up(fresh, court.cast["moved"])
    with psycopg.connect(str(court.demo.settings.owner_url).replace("+psycopg", "")) as owner:
        owner.execute("UPDATE received_answer SET sealed = sha256(sealed)")
    answer = court.look_up(fresh, court.cast["moved"], max_age=3600)

    assert answer.status_code == 200
    assert not any("reused_from" in one for one in answer.json()["answers"])


def test_an_agency_that_was_not_heard_is_asked_again(court: RunningCourt, fresh: str, healed: Any) -> None:
    healed("human_resources", "server_error")
    first = court.look_up(fresh, court.cast["moved"]).json()
    court.demo.outside.heal("human_resources")
    second = court.look_up(fresh, court.cast["moved"], max_age=3600).json()
    states = [
        {one["agency"]: (one["state"], "reused_from" in one) for one in answer["answers"]} for answer in (first, second)
    ]

    assert states[0]["human_resources"] == ("unavailable", False)
    assert states[1]["human_resources"] == ("found", False)
    assert states[1]["public_security"] == ("found", True)
