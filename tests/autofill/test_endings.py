"""
The right follows the task: when a work order is closed, suspended, transferred or changed, its forms end with it.
"""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.autofill.conftest import Forms
from tests.court import RunningCourt


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "closed"}, "work_order_closed"),
        ({"status": "suspended"}, "work_order_suspended"),
        ({"status": "transferred"}, "work_order_transferred"),
        ({}, "work_order_changed"),
    ],
)
def test_what_waits_for_an_agency_ends_with_the_work_order(
    court: RunningCourt, forms: Forms, healed: Callable[..., None], change: dict[str, str], reason: str
) -> None:
    """At once: it has ended when the statement is answered, and the log tells why."""
    healed("human_resources", "server_error")
    party = court.cast["stayed"]
    number, name = forms.dispatched(party)
    forms.until(name, lambda found: found["result"] is not None)

    court.restate(number, party, version=2, **change)
    found = forms.see(name)

    assert (found["state"], found["reason"], found["result"]) == ("cancelled", reason, None)
    court.demo.outside.heal("human_resources")
    event = told(court, name, "autofill.cancelled")
    assert (event["outcome"], event["detail"]) == ("cancelled", {"template": "service", "reason": reason})


def test_an_answer_that_comes_after_the_closing_is_not_kept(
    court: RunningCourt, forms: Forms, healed: Callable[..., None]
) -> None:
    """
    One agency has answered and one hangs; the answers find no right any more.  The log says `withheld`, and neither the
    log nor the answer cache keeps them.
    """
    healed("human_resources", "hang")
    party = court.cast["stayed"]
    record: dict[str, Any] = {"outcome": ""}
    # While the breaker of the hanging agency is still open from another test, the lookup is too short: then once more.
    while record["outcome"] != "withheld":
        number, name = forms.dispatched(party)
        forms.until(name, lambda found: found["state"] in {"running", "delayed"})
        told(court, name, "lookup.intent")
        court.restate(number, party, version=2, status="closed")

        assert forms.see(name)["reason"] == "work_order_closed"
        record = told(court, name, "lookup.outcome")

    assert {answer["is"] for answer in record["heard"]} >= {"found", "unavailable"}
    with psycopg.connect(str(court.demo.settings.owner_url).replace("+psycopg", "")) as owner:
        sealed = owner.execute(
            "SELECT count(*) FROM audit.entry JOIN audit.kept USING (idx) WHERE xid = %s", (record["xid"],)
        ).fetchone()
        cached = owner.execute("SELECT count(*) FROM received_answer WHERE lookup = %s", (record["xid"],)).fetchone()
    assert (sealed, cached) == ((0,), (0,))


def test_a_filled_form_is_shown_no_more_when_the_work_order_is_closed(court: RunningCourt, forms: Forms) -> None:
    """Its state is; the form stays in the house."""
    party = court.cast["stayed"]
    number, name = forms.dispatched(party)
    forms.ended(name)

    court.restate(number, party, version=2, status="closed")
    found = forms.see(name)

    assert (found["state"], found["result"]) == ("filled", None)


def test_a_ticket_system_takes_its_request_back(court: RunningCourt, forms: Forms, healed: Callable[..., None]) -> None:
    """Twice is harmless."""
    healed("human_resources", "server_error")
    _, name = forms.dispatched(court.cast["stayed"])
    forms.until(name, lambda found: found["result"] is not None)

    first = court.call("DELETE", f"/v1/autofill/{name}", client="ticket-system").json()
    again = court.call("DELETE", f"/v1/autofill/{name}", client="ticket-system").json()

    assert (first["state"], first["reason"]) == (again["state"], again["reason"]) == ("cancelled", "taken_back")
    assert court.call("DELETE", f"/v1/autofill/{name}", client="ticket-system-0803").status_code == 404


def told(court: RunningCourt, name: str, kind: str) -> dict[str, Any]:
    """The record of one type of a request or of its lookups, as soon as there is one."""
    for _ in range(200):
        for one in court.events(type=kind):
            event: dict[str, Any] = one["event"]
            if event["xid"] == name or event.get("detail", {}).get("autofill") == name:
                return event
        time.sleep(0.2)
    raise AssertionError(kind)
