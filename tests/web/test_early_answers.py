"""
An agency's answer is shown before the lookup is whole, and never before the log says so.
"""

import re
from collections.abc import Callable

import pytest

from tests.court import RunningCourt
from tests.web.reader import Reader

Readers = Callable[..., Reader]


def pieces(clerk: Reader, number: str, version: str = "1") -> list[str]:
    """What a script is sent when it asks, in the order in which it arrives."""
    clerk.get(f"/work-orders/{number}")
    form = clerk.page.select_one("form#ask")
    assert form is not None
    token = form.select_one("input[name=csrf_token]")
    assert token is not None
    data = {"csrf_token": str(token["value"]), "party": "1", "version": version}
    headers = {"HX-Request": "true", "Accept": "text/html, text/event-stream", "Origin": clerk.court.demo.address}
    wants = ["identity", "addresses", "registrations"]
    answer = clerk.client.post(f"/work-orders/{number}/lookups", data=data | {"want": wants}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    return [piece for piece in re.sub(r"^data: ?", "", answer.text, flags=re.MULTILINE).split("\n\n") if piece.strip()]


@pytest.fixture
def clerk(reader: Readers) -> Reader:
    """A clerk who reads English."""
    return reader("li.ting", language="en")


def test_cards_come_first_then_each_agency_then_the_whole(
    court: RunningCourt, clerk: Reader, healed: Callable[..., None]
) -> None:
    """While one agency hangs the others are read; the addresses come with the whole alone."""
    number = court.dispatch(court.cast["moved"])
    healed("human_resources", "hang")
    begun, *heard, whole = pieces(clerk, number)

    assert begun.count("Asking…") == 4
    assert "Shown when every agency has answered" in begun
    assert any('id="card-public_security"' in one and court.cast["moved"]["name"] in one for one in heard)
    assert [one for one in heard if "addresses" in one.replace("Addresses for service", "")] == []
    assert 'class="addresses"' in whole
    assert "Part of the answer is missing." in whole


def test_every_early_answer_has_a_record_of_its_own_between_intent_and_outcome(
    court: RunningCourt, clerk: Reader
) -> None:
    """It names the agency, the state and the sections; the lookup is counted once."""
    number = court.dispatch(court.cast["moved"])
    _, *heard, _ = pieces(clerk, number)
    events = [one["event"] for one in court.events() if one["event"]["type"].partition(".")[0] in {"lookup", "answer"}]
    types = [one["type"] for one in events]
    begun = len(types) - 1 - types[::-1].index("lookup.intent")
    shown = events[begun + 1 : -1]

    assert types[begun:] == ["lookup.intent", *["answer.shown"] * len(shown), "lookup.outcome"]
    # The last to answer comes with the whole.
    assert len(shown) == len(heard) == 3
    assert all(len(one["heard"]) == 1 and "addresses" not in one["released"] for one in shown)


def test_what_was_there_already_is_shown_at_once_and_says_whose_it_is(
    court: RunningCourt, clerk: Reader, healed: Callable[..., None]
) -> None:
    """While the agency that must be asked again hangs; no record says that the others were asked."""
    number = court.dispatch(court.cast["moved"])
    healed("human_resources", "close_after_read")
    pieces(clerk, number)
    healed("human_resources", "hang")
    begun, *heard, whole = pieces(clerk, number)
    events = [one["event"] for one in court.events()]
    types = [one["type"] for one in events]
    early = [one for one in events[len(types) - types[::-1].index("lookup.intent") :] if one["type"] == "answer.shown"]

    assert begun.count("Asking…") == 4
    assert all("From store, as of" in one for one in heard)
    assert whole.count("From store, as of") == len(early) == len(heard) == 3
    assert [("heard" in one, "reused" in one["detail"]) for one in early] == [(False, True)] * 3


def test_a_work_order_that_is_closed_sends_a_refusal_and_no_card(court: RunningCourt, clerk: Reader) -> None:
    """In words, with who can change it."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    clerk.get(f"/work-orders/{number}")
    form = clerk.page.select_one("form#ask input[name=csrf_token]")
    assert form is not None
    court.restate(number, person, version=2, status="closed")
    headers = {"HX-Request": "true", "Accept": "text/html, text/event-stream", "Origin": court.demo.address}
    data = {"csrf_token": str(form["value"]), "party": "1", "version": "2", "want": "identity"}
    answer = clerk.client.post(f"/work-orders/{number}/lookups", data=data, headers=headers)

    assert "have it reopened in the ticket system" in answer.text
    assert "card-" not in answer.text
