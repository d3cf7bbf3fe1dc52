"""
No lookup outside an open work order that its caller holds and that names the party.
"""

import httpx

from tests.desk import Desk


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and the rule of a refusal; every refusal has its audit record."""
    body = answer.json()
    assert isinstance(body["audit"], int)
    return answer.status_code, body["rule"]


def test_a_party_that_the_work_order_does_not_name_is_refused(desk: Desk) -> None:
    """The task does not need this person."""
    number = desk.dispatch(desk.cast["moved"])

    assert refusal(desk.look_up(number, desk.cast["renamed"])) == (403, "party_not_named")


def test_a_closed_work_order_grants_nothing(desk: Desk) -> None:
    """The right is gone with the task."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    assert desk.look_up(number, person).status_code == 200

    assert desk.restate(number, person, version=2, status="closed").status_code == 200

    assert refusal(desk.look_up(number, person)) == (403, "work_order_not_open")


def test_a_reopened_work_order_grants_again(desk: Desk) -> None:
    """Reopening is a new version like any other."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    desk.restate(number, person, version=2, status="closed")
    desk.restate(number, person, version=3, status="reopened")

    assert desk.look_up(number, person).status_code == 200


def test_a_transferred_work_order_goes_with_its_new_holder(desk: Desk) -> None:
    """The old holder's right ends where the new one's begins."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    holder = desk.statement(person)["holder"] | {"user": "wang.qiang"}
    desk.restate(number, person, version=2, status="transferred", holder=holder)

    assert refusal(desk.look_up(number, person)) == (403, "work_order_not_held")
    assert desk.look_up(number, person, user="wang.qiang").status_code == 200


def test_another_courts_work_order_looks_like_none_at_all(desk: Desk) -> None:
    """Foreign, a colleague's, or made up: the same words."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)

    foreign = desk.look_up(number, person, user="zhao.min")
    colleague = desk.look_up(number, person, user="wang.qiang")
    unknown = desk.look_up("T-0", person)

    assert {refusal(answer) for answer in (foreign, colleague, unknown)} == {(403, "work_order_not_held")}
    of_the_call = {"audit": 0, "trace_id": ""}
    said = [answer.json() | of_the_call for answer in (foreign, colleague, unknown)]
    assert said == [said[0]] * 3


def test_another_spelling_of_the_same_number_is_the_same_party(desk: Desk) -> None:
    """Full-width digits, spaces and a small x neither widen nor narrow the right."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in person["id_number"])

    assert desk.look_up(number, person | {"id_number": wide}).status_code == 200
    assert desk.look_up(number, person | {"id_number": " " + person["id_number"].lower()}).status_code == 200


def test_a_name_that_is_not_the_partys_is_refused(desk: Desk) -> None:
    """Number and name belong together; the number alone does not open the file."""
    person = desk.cast["moved"]
    body = desk.question(desk.dispatch(person), person)
    body["subject"]["name"] = desk.cast["renamed"]["name"]

    assert refusal(desk.call("POST", "/v1/lookups", body, user="li.ting")) == (403, "party_name_differs")


def test_only_a_ticket_system_states_work_orders_and_only_its_own_courts(desk: Desk) -> None:
    """A clerk cannot grant herself anything, and no court dispatches for another."""
    statement = desk.statement(desk.cast["moved"])

    clerk = desk.call("PUT", "/v1/work-orders/T-9", statement, user="li.ting")
    foreign = desk.call("PUT", "/v1/work-orders/T-9", statement, client="ticket-system-0803")

    assert (clerk.status_code, clerk.json()["rule"]) == (403, "scope_missing")
    assert (foreign.status_code, foreign.json()["rule"]) == (403, "other_court")


def test_a_work_order_is_repeated_without_harm_and_never_turned_back(desk: Desk) -> None:
    """The same statement again changes nothing; a lower version, or other content at the same one, is refused."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    desk.restate(number, person, version=2, status="suspended")

    repeated = desk.restate(number, person, version=2, status="suspended")
    lower = desk.restate(number, person, version=1)
    other = desk.restate(number, person, version=2, status="dispatched")

    assert (repeated.status_code, repeated.json()["replayed"]) == (200, True)
    assert [(one.status_code, one.json()["current"]) for one in (lower, other)] == [(409, 2), (409, 2)]
