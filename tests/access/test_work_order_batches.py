"""
Work orders in batches: every line answered, a bad one changes nothing, the others are done.
"""

import json
from typing import Any

import httpx
import pytest

from tests.court import RunningCourt


def send(court: RunningCourt, lines: list[Any], **changes: Any) -> httpx.Response:
    """A batch of the ticket system; a line that is text is sent as it is."""
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    headers = {
        "Authorization": f"Bearer {court.token(client=changes.pop('client', 'ticket-system'))}",
        "Content-Type": "application/x-ndjson",
    }
    address = f"{court.demo.address}/v1/work-orders/batches"
    return httpx.post(address, content=body.encode(), headers=headers | changes, timeout=60, trust_env=False)


def answers(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_batch_lines_are_answered_in_order_and_valid_ones_are_stored(court: RunningCourt) -> None:
    party = court.cast["stayed"]
    good = court.statement(party)
    names = [f"B-{next(court.numbers)}" for _ in range(4)]
    wrong_number = good | {"parties": [good["parties"][0] | {"id_number": "33080219850612010X"}]}

    replies = answers(
        send(
            court,
            [
                good | {"id": names[0]},
                "{not json",
                wrong_number | {"id": names[1]},
                good | {"id": names[2], "kind": "no-such-kind"},
                good | {"id": names[3], "court": "浙0803"},
                good | {"id": names[0], "version": 2, "status": "closed"},
            ],
        )
    )

    assert [(reply["line"], reply.get("status"), (reply.get("problem") or {}).get("title")) for reply in replies] == [
        (1, "dispatched", None),
        (2, None, "Unprocessable Entity"),
        (3, None, "Unprocessable Entity"),
        (4, None, "Unprocessable Entity"),
        (5, None, "Forbidden"),
        (6, "closed", None),
    ]
    rules = [error["rule"] for reply in replies[2:4] for error in reply["problem"]["errors"]]
    assert rules == ["check_digit", "unknown_kind"]
    assert court.look_up(names[0], party).json()["rule"] == "work_order_not_open"
    assert court.look_up(names[1], party).json()["rule"] == "work_order_not_held"


def test_a_batch_that_is_sent_twice_changes_nothing_the_second_time(court: RunningCourt) -> None:
    lines = [court.statement(court.cast["stayed"]) | {"id": f"B-{next(court.numbers)}"} for _ in range(3)]

    first, second = answers(send(court, lines)), answers(send(court, lines))

    assert [reply["replayed"] for reply in first] == [False] * 3
    assert [reply["replayed"] for reply in second] == [True] * 3
    assert all(reply["audit"] is None for reply in second)


def test_versions_of_one_work_order_are_stored_in_order(court: RunningCourt) -> None:
    name, good = f"B-{next(court.numbers)}", court.statement(court.cast["stayed"])

    replies = answers(send(court, [good | {"id": name, "version": version} for version in range(1, 41)]))

    assert [reply["version"] for reply in replies] == list(range(1, 41))


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"Content-Type": "application/json"}, 415), ({"client": "ticket-system-0803"}, 200)],
)
def test_only_a_batch_of_json_lines_is_accepted(court: RunningCourt, changes: dict[str, str], status: int) -> None:
    assert send(court, [court.statement(court.cast["stayed"]) | {"id": "B-0"}], **changes).status_code == status


def test_line_longer_than_a_body_ends_the_batch_and_the_lines_before_it_stand(court: RunningCourt) -> None:
    line = court.statement(court.cast["stayed"]) | {"id": f"B-{next(court.numbers)}"}

    first, last = answers(send(court, [line, "x" * 300_000, line]))

    assert (first["id"], first["status"]) == (line["id"], "dispatched")
    assert (last["line"], last["problem"]["type"]) == (2, "urn:shuniu:problem:body-too-large")


def test_errors_repeat_nothing_of_an_invalid_line(court: RunningCourt) -> None:
    number = court.cast["stayed"]["id_number"]
    response = send(court, [{"id": "B-1", number: number, "parties": [{"id_number": number}]}])

    assert number not in response.text
