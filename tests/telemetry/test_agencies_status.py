"""
How things stand with the agencies: over HTTP for programs, as a table for people, with an exit code for scripts.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.api.agencies import StandingView, standing_view
from gateway.cli import agency_table, console
from gateway.resilience.status import BreakerState
from tests.court import RunningCourt
from tests.telemetry.test_metrics import GUARD, NOW

RUN = CliRunner()


def standing(**changes: Any) -> StandingView:
    """What is shown of the guard of the tests, as it would be without a breaker or a closing, with these changes."""
    without = {"breaker": BreakerState.CLOSED, "opens_again_in": None, "closed_until": None, "closed_because": None}
    return standing_view(replace(GUARD, **(without | changes)), NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"opens_again_in": 12.0}, NOW + timedelta(seconds=12)),
        ({"opens_again_in": 0.0}, None),
        ({"closed_until": NOW + timedelta(hours=8)}, NOW + timedelta(hours=8)),
        ({"closed_until": NOW - timedelta(seconds=1)}, None),
        ({"closed_until": NOW + timedelta(seconds=5), "opens_again_in": 12.0}, NOW + timedelta(seconds=12)),
    ],
)
def test_ask_again_is_the_later_of_rest_and_opening(changes: dict[str, Any], expected: datetime | None) -> None:
    """Whoever comes back then is not sent away once more."""
    assert standing(**changes).ask_again_at == expected


def test_the_matrix_shows_what_was_last_heard_of_each_capability(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """Connected lookups have a standing; what failed says why, and when it last went well."""
    person = court.cast["moved"]
    court.look_up(court.dispatch(person), person).raise_for_status()
    healed("human_resources", "fault")
    court.look_up(court.dispatch(person), person).raise_for_status()

    answer = court.call("GET", "/v1/agencies", user="li.ting").json()

    shown = {
        f"{agency['id']}.{capability['name']}": capability["standing"]
        for agency in answer
        for capability in agency["capabilities"]
    }
    identity, participation = shown["public_security.identity"], shown["human_resources.participation"]
    assert (identity["last_state"], identity["last_reason"], identity["breaker"]) == ("found", None, "closed")
    assert (participation["last_state"], participation["last_reason"]) == ("unavailable", "provider_error")
    assert participation["last_good_at"] < participation["last_at"]
    assert set(identity) == set(StandingView.model_fields)


def environment(court: RunningCourt) -> dict[str, str]:
    """What a terminal of the court has set."""
    return {"SHUNIU_HUB": court.demo.address, "SHUNIU_TOKEN": court.token(user="li.ting")}


def test_status_has_a_line_for_each_lookup(court: RunningCourt, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are asked: exit code 0, and the same as one JSON document."""
    monkeypatch.setattr(console.show, "width", 200)
    shown = RUN.invoke(app, ["agencies", "status"], env=environment(court))
    document = RUN.invoke(app, ["agencies", "status", "--json"], env=environment(court))

    assert (shown.exit_code, document.exit_code) == (0, 0)
    lookups = [
        [agency["id"], capability["name"]]
        for agency in json.loads(document.stdout)
        for capability in agency["capabilities"]
    ]
    assert [line.split()[:2] for line in shown.stdout.splitlines()[1:]] == lookups


def test_watch_with_json_is_a_usage_error(court: RunningCourt) -> None:
    """A usage error, before anything is asked."""
    answer = RUN.invoke(app, ["agencies", "status", "--json", "--watch"], env=environment(court))

    assert (answer.exit_code, "leave out --watch" in answer.stderr) == (2, True)


MATRIX = [
    {
        "id": "public_security",
        "capabilities": [
            {"name": "identity", "standing": json.loads(standing().model_dump_json())},
            {
                "name": "addresses",
                "standing": json.loads(
                    standing(breaker=BreakerState.OPEN, opens_again_in=12.0, last_good_at=None).model_dump_json()
                ),
            },
            {"name": "vehicles", "standing": None},
        ],
    }
]


def test_suspended_agency_shows_resting_and_until_when() -> None:
    """Words and distances, no numbers to subtract."""
    console = Console(width=200, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(agency_table.status_table(MATRIX, NOW))

    places = ["3/10", "2/20", "290", "–", "4"]
    lines = [line.split("  ") for line in captured.get().splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines[1:]] == [
        ["public_security", "identity", "asked", "–", "60 min ago", "unavailable timeout", *places],
        ["public_security", "addresses", "resting", "in 12 s", "–", "unavailable timeout", *places],
        ["public_security", "vehicles", "not connected"],
    ]


@pytest.mark.parametrize(("changes", "suspended"), [({}, False), ({"closed_until": NOW + timedelta(hours=1)}, True)])
def test_any_suspended_tells_whether_all_agencies_are_asked(changes: dict[str, Any], suspended: bool) -> None:
    """Exit code 4 otherwise."""
    shown = json.loads(standing(**changes).model_dump_json())
    matrix = [{"id": "public_security", "capabilities": [{"name": "identity", "standing": shown}]}]

    assert agency_table.any_suspended(matrix) is suspended
