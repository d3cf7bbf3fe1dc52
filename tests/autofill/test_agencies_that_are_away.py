"""
An agency is down: what was answered is not asked again, what was not is, until the deadline.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.autofill.conftest import Forms, fields
from tests.court import RunningCourt


def asked(court: RunningCourt, name: str) -> Counter[str]:
    """How often each agency was asked for a request, by the log."""
    return Counter(
        question
        for one in court.events(type="lookup.intent")
        if one["event"].get("detail", {}).get("autofill") == name
        for question in one["event"]["ask"]
    )


def test_only_the_agency_that_was_away_is_asked_again(
    court: RunningCourt, forms: Forms, healed: Callable[..., None]
) -> None:
    """And meanwhile the form shows what there is, and that the rest is pending."""
    healed("human_resources", "server_error")
    _, name = forms.dispatched(court.cast["stayed"])

    partial = forms.until(name, lambda found: found["result"] is not None)
    court.demo.outside.heal("human_resources")
    whole = forms.ended(name)

    assert partial["result"]["complete"] is False
    assert fields(partial)["DSR_XM"]["state"] == "filled"
    assert fields(partial)["RY_CBDW"]["state"] == "pending"
    assert (whole["state"], whole["result"]["complete"]) == ("filled", True)
    assert fields(whole)["RY_CBDW"]["state"] == "filled"
    times = asked(court, name)
    assert times.pop("human_resources.participation") > 1
    assert set(times.values()) == {1}


def test_at_its_deadline_a_form_is_finished_with_what_it_has(
    court: RunningCourt, forms: Forms, healed: Callable[..., None]
) -> None:
    """What could not be had says why."""
    healed("human_resources", "server_error")
    number = court.dispatch(court.cast["stayed"])
    deadline = datetime.now(UTC) + timedelta(seconds=2)

    found = forms.ended(forms.ask(number, deadline=deadline.isoformat()).json()["id"])

    assert (found["state"], found["result"]["complete"]) == ("filled", False)
    assert fields(found)["DSR_XM"]["state"] == "filled"
    missing = fields(found)["RY_CBDW"]
    assert (missing["state"], missing["value"], missing["reason"]) == ("unavailable", None, missing["reason"])
    assert missing["reason"] is not None


def test_questions_of_one_request_count_once_however_often_it_runs(
    court: RunningCourt, forms: Forms, healed: Callable[..., None]
) -> None:
    """A kind with two questions is filled although an agency was asked many times."""
    healed("human_resources", "server_error")
    healed("public_security", "server_error")
    number = court.dispatch(court.cast["stayed"], kind="fee-refund")
    name = forms.ask(number).json()["id"]

    def tried(found: dict[str, Any]) -> bool:
        return found["next_at"] is not None and len(asked(court, name)) > 0 and max(asked(court, name).values()) > 2

    forms.until(name, tried)
    for agency in ("human_resources", "public_security"):
        court.demo.outside.heal(agency)

    assert forms.ended(name)["state"] == "filled"
    assert court.look_up(number, court.cast["stayed"], want=["identity"]).status_code == 200
