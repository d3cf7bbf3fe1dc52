"""
A form and a clerk go one way of a lookup: the same cache of answers, the same counts.
"""

import re

import httpx

from tests.autofill.conftest import Forms
from tests.court import RunningCourt


def whole_lookups(court: RunningCourt) -> int:
    """The lookups that this hub has counted as whole."""
    scraped = httpx.get(f"{court.demo.address}/metrics", trust_env=False).text
    counted = re.search(r'^shuniu_lookups_total\{outcome="whole"\} (\d+)', scraped, re.MULTILINE)
    return int(counted[1]) if counted else 0


def test_answers_that_the_clerk_has_under_the_same_grant_are_not_asked_for_again(
    court: RunningCourt, forms: Forms
) -> None:
    """The form's records name the lookup that asked, and no question is sent."""
    person = court.cast["stayed"]
    number = court.dispatch(person)
    clerks = court.look_up(number, person).json()

    name = forms.ask(number).json()["id"]
    forms.ended(name)

    (outcome,) = (
        event
        for event in (record["event"] for record in court.events())
        if event["type"] == "lookup.outcome" and event.get("detail", {}).get("autofill") == name
    )
    assert "heard" not in outcome
    assert sorted(outcome["detail"]["reused"].split(",")) == sorted(
        f"{answer['agency']}.{answer['capability']}:{clerks['id']}" for answer in clerks["answers"]
    )


def test_the_lookup_of_a_form_is_counted(court: RunningCourt, forms: Forms) -> None:
    """One party, one lookup."""
    before = whole_lookups(court)

    _, name = forms.dispatched(court.cast["stayed"])
    forms.ended(name)

    assert whole_lookups(court) == before + 1
