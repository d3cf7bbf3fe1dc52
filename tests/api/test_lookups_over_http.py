"""
One lookup, end to end: real agencies, an open work order, two durable records, one normalized answer.
"""

from collections.abc import Callable
from typing import Any

from tests.court import RunningCourt


def states(answer: dict[str, Any]) -> dict[str, str]:
    """The state of every question of a lookup."""
    return {f"{entry['agency']}.{entry['capability']}": entry["state"] for entry in answer["answers"]}


def test_a_person_is_identified_and_found_by_three_agencies(court: RunningCourt) -> None:
    """Four questions, one answer; every field names its source."""
    person = court.cast["moved"]
    answer = court.look_up(court.dispatch(person), person)

    assert answer.status_code == 200
    result = answer.json()
    assert states(result) == {
        "human_resources.participation": "found",
        "market_regulation.positions": states(result)["market_regulation.positions"],
        "public_security.addresses": "found",
        "public_security.identity": "found",
    }
    assert result["identity"]["full_name"]["value"] == person["name"]
    assert {result["answers"][source["answer"]]["agency"] for source in result["identity"]["full_name"]["sources"]} >= {
        "public_security"
    }
    ranked = [address for address in result["addresses"] if "rank" in address]
    assert [address["rank"] for address in ranked] == [5, 5]
    assert [address["kind"] for address in ranked] == ["residence", "household"]
    assert all(address["legal_basis"] and address["text"]["sources"] for address in ranked)
    assert result["ladder"]["complete"] is True
    assert result["audit"]["intent"] < result["audit"]["outcome"]


def test_an_organization_shows_its_registration_and_its_warnings(court: RunningCourt) -> None:
    """A company on the abnormal list keeps its registered address, with the warning on it."""
    company = court.cast["company_abnormal"]
    result = court.look_up(court.dispatch(company), company).json()

    assert states(result) == {"market_regulation.registration": "found"}
    assert result["identity"]["name"]["value"] == company["name"]
    assert result["registrations"][0]["abnormal_list"]["value"] is True
    assert "abnormal_list" in str(result["addresses"][0]["warnings"])


def test_a_hanging_agency_leaves_half_an_answer_within_the_deadline(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """That agency is unavailable with the reason; the others' answers stand."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "hang")

    result = court.look_up(number, person).json()

    unheard = next(entry for entry in result["answers"] if entry["agency"] == "human_resources")
    assert (unheard["state"], unheard["reason"]) == ("unavailable", "timeout")
    assert states(result)["public_security.identity"] == "found"
    assert [address["rank"] for address in result["addresses"] if "rank" in address] == [5, 5]


def test_without_an_answer_of_the_police_the_address_ranking_is_incomplete(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """A broken line never reads as an absent address."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("public_security", "reset")

    result = court.look_up(number, person).json()

    assert result["ladder"]["complete"] is False
    assert "public_security" in result["ladder"]["not_heard"]


def test_a_stored_lookup_is_read_again_without_asking_any_agency(court: RunningCourt) -> None:
    """The stored record equals the answer; reading it is an event of its own."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    first = court.look_up(number, person).json()

    again = court.call("GET", f"/v1/lookups/{first['id']}", user="li.ting")
    colleague = court.call("GET", f"/v1/lookups/{first['id']}", user="wang.qiang")
    elsewhere = court.call("GET", f"/v1/lookups/{first['id']}", user="zhao.min")

    assert again.status_code == 200
    assert again.json() | {"audit": None} == first | {"audit": None}
    assert again.json()["audit"]["outcome"] == first["audit"]["outcome"]
    assert (colleague.status_code, elsewhere.status_code) == (403, 404)


def test_every_lookup_leaves_an_intent_and_an_outcome(court: RunningCourt) -> None:
    """The intent names the questions, the outcome the state of each."""
    person = court.cast["moved"]
    result = court.look_up(court.dispatch(person), person).json()

    events = {row["index"]: row["event"] for row in court.events()}

    intent, outcome = events[result["audit"]["intent"]], events[result["audit"]["outcome"]]
    assert (intent["type"], outcome["type"]) == ("lookup.intent", "lookup.outcome")
    assert {entry["q"]: entry["is"] for entry in outcome["heard"]} == states(result)
    assert person["id_number"] not in str(events)
    assert person["name"] not in str(events)


def test_an_organization_of_another_register_is_not_asked_about_and_its_register_is_named(court: RunningCourt) -> None:
    """A law firm is registered with the justice administration: that is said, and is not an absent record."""
    firm = court.cast["law_firm"]
    result = court.look_up(court.dispatch(firm), firm).json()

    registry = result["answers"][0]
    assert (registry["state"], registry["reason"], registry["authority"]) == (
        "not_asked",
        "other_authority",
        "justice",
    )
    assert result["ladder"]["complete"] is False
