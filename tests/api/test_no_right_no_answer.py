"""
No lookup outside an open work order that its caller holds and that names the party.
"""

import httpx

from tests.court import RunningCourt


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and the rule of a refusal; every refusal has its audit record."""
    body = answer.json()
    assert isinstance(body["audit"], int)
    return answer.status_code, body["rule"]


def test_a_party_that_the_work_order_does_not_name_is_refused(court: RunningCourt) -> None:
    """The task does not need this person."""
    number = court.dispatch(court.cast["moved"])

    assert refusal(court.look_up(number, court.cast["renamed"])) == (403, "party_not_named")


def test_a_closed_work_order_grants_nothing(court: RunningCourt) -> None:
    """The right is gone with the task."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    assert court.look_up(number, person).status_code == 200

    assert court.restate(number, person, version=2, status="closed").status_code == 200

    assert refusal(court.look_up(number, person)) == (403, "work_order_not_open")


def test_a_reopened_work_order_grants_again(court: RunningCourt) -> None:
    """Reopening is a new version like any other."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    court.restate(number, person, version=2, status="closed")
    court.restate(number, person, version=3, status="reopened")

    assert court.look_up(number, person).status_code == 200


def test_a_transferred_work_order_belongs_to_its_new_holder(court: RunningCourt) -> None:
    """The old holder's right ends where the new one's begins."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    holder = court.statement(person)["holder"] | {"user": "wang.qiang"}
    court.restate(number, person, version=2, status="transferred", holder=holder)

    assert refusal(court.look_up(number, person)) == (403, "work_order_not_held")
    assert court.look_up(number, person, user="wang.qiang").status_code == 200


def test_another_courts_work_order_looks_like_none_at_all(court: RunningCourt) -> None:
    """Foreign, a colleague's, or made up: the same words."""
    person = court.cast["moved"]
    number = court.dispatch(person)

    foreign = court.look_up(number, person, user="zhao.min")
    colleague = court.look_up(number, person, user="wang.qiang")
    unknown = court.look_up("T-0", person)

    assert {refusal(answer) for answer in (foreign, colleague, unknown)} == {(403, "work_order_not_held")}
    of_the_call = {"audit": 0, "trace_id": ""}
    bodies = [answer.json() | of_the_call for answer in (foreign, colleague, unknown)]
    assert bodies == [bodies[0]] * 3


def test_another_spelling_of_the_same_number_is_the_same_party(court: RunningCourt) -> None:
    """Full-width digits, spaces and a small x neither widen nor narrow the right."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in person["id_number"])

    assert court.look_up(number, person | {"id_number": wide}).status_code == 200
    assert court.look_up(number, person | {"id_number": " " + person["id_number"].lower()}).status_code == 200


def test_a_name_that_is_not_the_partys_is_refused(court: RunningCourt) -> None:
    """Number and name belong together; the number alone does not open the file."""
    person = court.cast["moved"]
    body = court.question(court.dispatch(person), person)
    body["subject"]["name"] = court.cast["renamed"]["name"]

    assert refusal(court.call("POST", "/v1/lookups", body, user="li.ting")) == (403, "party_name_differs")


def test_only_a_ticket_system_states_work_orders_and_only_its_own_courts(court: RunningCourt) -> None:
    """A clerk cannot grant herself anything, and no court dispatches for another."""
    statement = court.statement(court.cast["moved"])

    clerk = court.call("PUT", "/v1/work-orders/T-9", statement, user="li.ting")
    foreign = court.call("PUT", "/v1/work-orders/T-9", statement, client="ticket-system-0803")

    assert (clerk.status_code, clerk.json()["rule"]) == (403, "scope_missing")
    assert (foreign.status_code, foreign.json()["rule"]) == (403, "other_court")


def test_a_work_order_is_repeated_without_harm_and_never_turned_back(court: RunningCourt) -> None:
    """The same statement again changes nothing; a lower version, or other content at the same one, is refused."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    court.restate(number, person, version=2, status="suspended")

    repeated = court.restate(number, person, version=2, status="suspended")
    lower = court.restate(number, person, version=1)
    other = court.restate(number, person, version=2, status="dispatched")

    assert (repeated.status_code, repeated.json()["replayed"]) == (200, True)
    assert [(answer.status_code, answer.json()["current"]) for answer in (lower, other)] == [(409, 2), (409, 2)]
