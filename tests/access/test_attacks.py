"""
Attacks on the right to ask, each by name.  (Those on tokens and sessions stand in tests/sign_on, those on the tree in
tests/organization.)
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from gateway.access.snapshot import MAX_REFUSALS
from gateway.provisioning import DATABASE
from tests.access.replicas import TICKETS, Replicas, statement
from tests.court import RunningCourt


def owner(court: RunningCourt) -> str:
    """The database as its owner."""
    url = court.demo.settings.database_url or ""
    return f"host={url.partition('host=')[2]} user=postgres dbname={DATABASE}"


def forget_refusals(court: RunningCourt) -> None:
    """What was counted against somebody is over."""
    with psycopg.connect(owner(court), autocommit=True) as connection:
        connection.execute("DELETE FROM refusal")


WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789X"}


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(str.lower, id="lower-case x"),
        pytest.param(lambda number: number.translate(WIDE), id="full-width digits"),
        pytest.param(lambda number: f" {number[:6]} {number[6:]} ", id="blanks"),
        pytest.param(lambda number: number[:6] + "-" + number[6:], id="hyphen"),
        pytest.param(lambda number: number[:6] + number[8:17], id="15 digits"),
        pytest.param(lambda number: f"\u200b{number}", id="zero-width space"),
    ],
)
def test_no_spelling_of_an_identifier_reaches_an_unnamed_party(
    court: RunningCourt, spelled: Callable[[str], str]
) -> None:
    """A party that is not named stays so however it is spelt; and one that is named is never somebody else."""
    named, other = court.cast["stayed"], court.cast["moved"]
    number = court.dispatch(named)

    answer = court.look_up(number, other | {"id_number": spelled(other["id_number"])})

    assert answer.status_code in {403, 422}
    assert answer.status_code == 422 or answer.json()["rule"] == "party_not_named"
    forget_refusals(court)


def test_guesses_at_parties_are_refused_after_a_limit(court: RunningCourt) -> None:
    """After twenty guesses within the hour nothing is told any more, not even of a party that is named."""
    named = court.cast["stayed"]
    holder = court.statement(named)["holder"] | {"user": "qian.wei"}
    number = court.dispatch(named, holder=holder)
    others = [party for name, party in court.cast.items() if party["kind"] == "person" and name != "stayed"]

    rules = [
        court.look_up(number, others[guess % len(others)], user="qian.wei").json()["rule"]
        for guess in range(MAX_REFUSALS + 3)
    ]

    assert rules == ["party_not_named"] * MAX_REFUSALS + ["refused_too_often"] * 3
    assert court.look_up(number, named, user="qian.wei").json()["rule"] == "refused_too_often"
    forget_refusals(court)
    assert court.look_up(number, named, user="qian.wei").status_code == 200


def test_explanations_count_guesses_too(court: RunningCourt) -> None:
    """What `explain` refuses is recorded and counted like any refusal, and tells no more of a foreign task."""
    number = court.dispatch(court.cast["stayed"])
    body = court.question(number, court.cast["moved"])

    own = court.call("POST", "/v1/access/explain", body, user="li.ting").json()
    foreign = court.call("POST", "/v1/access/explain", body, user="wang.qiang").json()

    assert (own["permitted"], isinstance(own["audit"], int)) == (False, True)
    assert [rule["rule"] for rule in own["rules"] if rule["refuses"]] == ["party_not_named"]
    assert [rule["rule"] for rule in foreign["rules"] if rule["refuses"]] == ["work_order_not_held"]
    with psycopg.connect(owner(court)) as connection:
        counted = connection.execute('SELECT "user", count FROM refusal').fetchall()
    assert counted == [("li.ting", 1)]
    forget_refusals(court)


def test_explaining_a_permitted_lookup_counts_no_question(court: RunningCourt) -> None:
    """Nobody is asked, and nothing is used up."""
    party = court.cast["stayed"]
    number = court.dispatch(party, kind="archive-check")
    body = court.question(number, party) | {"want": ["identity"]}

    explained = [court.call("POST", "/v1/access/explain", body, user="li.ting").json() for _ in range(3)]

    assert [(explanation["permitted"], explanation["audit"]) for explanation in explained] == [(True, None)] * 3
    assert court.look_up(number, party, want=["identity"]).status_code == 200
    assert court.look_up(number, party, want=["identity"]).json()["rule"] == "questions_used_up"


def test_a_lower_version_restores_no_right(court: RunningCourt) -> None:
    """A replayed statement of an earlier, open version is refused, and the closed order stays closed."""
    party = court.cast["stayed"]
    number = court.dispatch(party)
    court.restate(number, party, version=7, status="closed")

    replayed = [court.restate(number, party, version=version).status_code for version in (1, 6, 7)]

    assert replayed == [409] * 3
    assert court.look_up(number, party).json()["rule"] == "work_order_not_open"


def test_a_clock_set_back_revives_no_ended_right(replicas: Replicas) -> None:
    """What has ended once has ended: the clock of access never runs behind a time that was seen."""
    party = replicas.cast["stayed"]
    with httpx.Client(base_url=replicas.addresses[0], timeout=30, trust_env=False) as client:
        stated = statement("li.ting", [party], kind="archive-check")
        tickets, clerk = replicas.headers(TICKETS), replicas.headers("li.ting")
        assert client.put("/v1/work-orders/CLOCK-1", json=stated, headers=tickets).status_code == 200
        # Six days are seen; the server's own clock stands six days behind from here on.
        replicas.advance("6 days")

        answer = client.post("/v1/lookups", json=replicas.question("CLOCK-1", party), headers=clerk)

    assert answer.json()["rule"] == "grant_ended"
    with psycopg.connect(replicas.owner, autocommit=True) as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute("UPDATE access_clock SET latest = latest - interval '1 second'")


def test_fields_outside_the_kind_are_withheld_even_if_agencies_send_them(court: RunningCourt) -> None:
    """Court-session recording shows names and a masked number, and says what it holds back."""
    party = court.cast["moved"]
    number = court.dispatch(party, kind="court-session-recording")

    answer = court.look_up(number, party, want=["identity"])

    assert answer.status_code == 200, answer.text
    body = answer.json()
    fields = {name: field["value"] for name, field in body["identity"].items() if isinstance(field, dict)}
    assert fields == {"id_number": "3308••••••005X", "full_name": party["name"]}
    assert body["masked"] == ["identity.id_number"]
    assert set(body["withheld"]) >= {"identity.born_on", "identity.life_status", "identity.sex"}
    assert party["id_number"] not in json.dumps(body["identity"], ensure_ascii=False)


def test_a_stored_result_is_read_with_the_same_fields_at_most(court: RunningCourt) -> None:
    """The stored record of a masked answer is masked as well."""
    party = court.cast["moved"]
    number = court.dispatch(party, kind="court-session-recording")
    first = court.look_up(number, party, want=["identity"]).json()

    again = court.call("GET", f"/v1/lookups/{first['id']}", user="li.ting").json()

    assert again == first | {"audit": again["audit"]}


def test_a_lookup_outside_the_kind_is_refused_as_a_whole(court: RunningCourt) -> None:
    """Not half an answer: the refusal says that the kind grants less."""
    party = court.cast["moved"]
    number = court.dispatch(party, kind="court-session-recording")

    assert court.look_up(number, party).json()["rule"] == "lookup_not_granted"


def test_a_kind_with_a_second_person_needs_the_confirmation(court: RunningCourt) -> None:
    """Neither the holder nor a ticket system can stand in for somebody else's eyes."""
    party = court.cast["stayed"]
    number = court.dispatch(party, kind="address-inquiry")
    path, version = f"/v1/work-orders/{number}/confirmations", {"version": 1}

    assert court.look_up(number, party).json()["rule"] == "second_person_missing"
    own = court.call("POST", path, version, user="li.ting")
    assert own.json()["rule"] in {"confirmation_own", "confirmation_role_missing"}
    assert court.look_up(number, party).json()["rule"] == "second_person_missing"
    assert court.call("POST", path, version, user="sun.li").status_code == 200
    assert court.look_up(number, party).status_code == 200
    court.restate(number, party, version=2, kind="address-inquiry")
    assert court.look_up(number, party).json()["rule"] == "second_person_missing"


@pytest.mark.parametrize("user", ["chen.jing", "admin", "feng.an"])
def test_administrators_get_no_lookup_even_as_holders_of_a_work_order(court: RunningCourt, user: str) -> None:
    """The separation of roles is not the ticket system's to lift."""
    party = court.cast["stayed"]
    holder = court.statement(party)["holder"] | {"user": user}
    number = court.dispatch(party, holder=holder)

    assert court.look_up(number, party, user=user).json()["rule"] == "separated_role"


def events_of(court: RunningCourt, lookup: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of one refusal."""
    return [event for event in court.events() if event["index"] == lookup["audit"]]


def test_a_refusal_is_recorded_with_its_rules_and_the_policy_digest(court: RunningCourt) -> None:
    """An auditor sees by which rule, under which policies, and for which grant."""
    party = court.cast["stayed"]
    number = court.dispatch(party)
    answer = court.look_up(number, party).json()
    refused = court.look_up(number, court.cast["moved"]).json()

    (denied,) = events_of(court, refused)
    permitted = next(event for event in court.events() if event["index"] == answer["audit"]["intent"])

    why = denied["event"]["why"]
    assert (why["decision"], why["rules"]) == ("deny", ["party_not_named"])
    assert why["policy"].startswith("access/")
    assert permitted["event"]["why"]["rules"] == ["held"]
    assert len(permitted["event"]["why"]["grant"]) == 36
    forget_refusals(court)
