"""
Partial results: an agency's answer is shown before the lookup is complete, and never before it is on record.
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


def test_pieces_are_the_cards_each_agency_and_the_whole(
    court: RunningCourt, clerk: Reader, healed: Callable[..., None]
) -> None:
    """While one agency hangs the others are read; the addresses come with the whole alone."""
    number = court.dispatch(court.cast["moved"])
    healed("human_resources", "hang")
    started, *partial, whole = pieces(clerk, number)

    assert started.count("Asking…") == 4
    assert "Shown when every agency has answered" in started
    assert any('id="card-public_security"' in piece and court.cast["moved"]["name"] in piece for piece in partial)
    assert [piece for piece in partial if "addresses" in piece.replace("Addresses for service", "")] == []
    assert 'class="addresses"' in whole
    assert "Part of the answer is missing." in whole


def test_each_partial_result_is_recorded_between_intent_and_outcome(court: RunningCourt, clerk: Reader) -> None:
    """It names the agency, the state and the sections; the lookup is counted once."""
    number = court.dispatch(court.cast["moved"])
    _, *partial, _ = pieces(clerk, number)
    events = [entry["event"] for entry in court.events()]
    events = [event for event in events if event["type"].partition(".")[0] in {"lookup", "answer"}]
    types = [event["type"] for event in events]
    intent = len(types) - 1 - types[::-1].index("lookup.intent")
    shown = events[intent + 1 : -1]

    assert types[intent:] == ["lookup.intent", *["answer.shown"] * len(shown), "lookup.outcome"]
    # The last to answer comes with the whole.
    assert len(shown) == len(partial) == 3
    assert all(len(event["heard"]) == 1 and "addresses" not in event["released"] for event in shown)


def test_cached_answers_are_shown_at_once_and_marked(
    court: RunningCourt, clerk: Reader, healed: Callable[..., None]
) -> None:
    """While the agency that must be asked again hangs; no record says that the others were asked."""
    number = court.dispatch(court.cast["moved"])
    healed("human_resources", "close_after_read")
    pieces(clerk, number)
    healed("human_resources", "hang")
    started, *partial, whole = pieces(clerk, number)
    events = [entry["event"] for entry in court.events()]
    types = [event["type"] for event in events]
    since_intent = events[len(types) - types[::-1].index("lookup.intent") :]
    early = [event for event in since_intent if event["type"] == "answer.shown"]

    assert started.count("Asking…") == 4
    assert all("From store, as of" in piece for piece in partial)
    assert whole.count("From store, as of") == len(early) == len(partial) == 3
    assert [("heard" in event, "reused" in event["detail"]) for event in early] == [(False, True)] * 3


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
