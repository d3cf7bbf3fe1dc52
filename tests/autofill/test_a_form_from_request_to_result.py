"""
A ticket system asks for the form of a work order, and has it, with what stands in the log about it.
"""

import time

import httpx

from tests.autofill.conftest import Forms, fields
from tests.court import RunningCourt


def test_a_form_is_filled_with_the_source_of_every_field(court: RunningCourt, forms: Forms) -> None:
    """Flat fields under the case system's names; each says who said it, as of when, and where the log tells of it."""
    person, company = court.cast["stayed"], court.cast["company_abnormal"]

    number, name = forms.dispatched(person, company)
    found = forms.ended(name)

    assert (found["state"], found["work_order"], found["template"]) == ("filled", number, "service")
    assert (found["result"]["complete"], found["progress"]) == (True, {"questions": 5, "answered": 5})
    address = fields(found, 1)["SD_DZ"]
    (said,) = address["said"]
    (outcome,) = said["audit"]
    assert address == {
        "name": "SD_DZ",
        "state": "filled",
        "required": True,
        "value": said["value"],
        "masked": False,
        "for_a_person": False,
        "said": [{"value": said["value"], "agencies": ["public_security"], "as_of": said["as_of"], "audit": [outcome]}],
        "reason": None,
    }
    assert fields(found, 1)["DSR_CSRQ"]["value"] == "1985年6月12日"
    assert fields(found, 2)["DSR_XYDM"]["value"] == company["id_number"]
    assert fields(found, 2)["DW_JYYC"]["value"] == "是"
    assert [switch["code"] for switch in found["result"]["parties"][1]["switches"]] == ["abnormal_list"]
    (event,) = [one["event"] for one in court.events() if one["index"] == outcome]
    assert (event["type"], event["detail"]["autofill"]) == ("lookup.outcome", name)


def test_the_log_tells_of_acceptance_questions_filling_and_every_look_at_the_form(
    court: RunningCourt, forms: Forms
) -> None:
    """In this order, on behalf of the holder, through the client."""
    _, name = forms.dispatched(court.cast["stayed"])
    forms.ended(name)

    told = [
        (event["type"], event.get("who", {}).get("client"), event["outcome"])
        for event in (one["event"] for one in court.events())
        if event["xid"] == name or event.get("detail", {}).get("autofill") == name
    ]
    read = ("result.read", "ticket-system", "released")
    assert [one for one in told if one != read] == [
        ("autofill.accepted", "ticket-system", "accepted"),
        ("lookup.intent", "ticket-system", "asked"),
        ("lookup.outcome", None, "released"),
        ("autofill.finished", "ticket-system", "filled"),
    ]
    assert told[-1] == read


def test_nothing_is_sent_again_to_whoever_has_it(court: RunningCourt, forms: Forms) -> None:
    """`If-None-Match` with the tag of the answer: no body, and no record, for nothing was shown."""
    _, name = forms.dispatched(court.cast["stayed"])
    forms.ended(name)
    address = f"{court.demo.address}/v1/autofill/{name}"
    token = {"Authorization": f"Bearer {court.token(client='ticket-system')}"}

    first = httpx.get(address, headers=token, trust_env=False)
    again = httpx.get(address, headers=token | {"If-None-Match": first.headers["ETag"]}, trust_env=False)

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_a_form_is_shown_to_its_client_and_to_the_holder_and_to_nobody_else(court: RunningCourt, forms: Forms) -> None:
    """For others it looks like none."""
    _, name = forms.dispatched(court.cast["stayed"])
    forms.ended(name)

    assert forms.see(name, user="li.ting")["result"]["complete"]
    for other in ({"user": "wang.qiang"}, {"client": "ticket-system-0803"}):
        assert court.call("GET", f"/v1/autofill/{name}", **other).status_code == 404
    assert court.call("DELETE", f"/v1/autofill/{name}", user="li.ting").json()["rule"] == "scope_missing"


def test_one_party_is_asked_about_if_one_is_named(court: RunningCourt, forms: Forms) -> None:
    """By its number in the work order."""
    number = court.dispatch(court.cast["stayed"], court.cast["company_abnormal"])

    found = forms.ended(forms.ask(number, parties=[2]).json()["id"])

    assert [one["party"] for one in found["result"]["parties"]] == [2]


def test_what_cannot_be_asked_for_is_refused_with_its_rule(court: RunningCourt, forms: Forms) -> None:
    """Before anything is entered."""
    number = court.dispatch(court.cast["stayed"])
    closed = court.dispatch(court.cast["stayed"], status="closed")

    def rule(answer: httpx.Response) -> tuple[int, str]:
        body = answer.json()
        return answer.status_code, body.get("rule") or body["errors"][0]["rule"]

    assert rule(forms.ask("T-unknown")) == (422, "work_order_unknown")
    assert rule(forms.ask(number, client="ticket-system-0803")) == (422, "work_order_unknown")
    assert rule(forms.ask(closed)) == (403, "work_order_not_open")
    assert rule(forms.ask(number, template="hearing")) == (422, "unknown_template")
    assert rule(forms.ask(number, parties=[2])) == (422, "unknown_party")
    assert rule(forms.ask(number, callback="nowhere")) == (422, "receiver_unknown")
    assert rule(forms.ask(number, deadline="2020-01-01T00:00:00Z")) == (422, "deadline_out_of_range")
    assert court.call("POST", "/v1/autofill", {"work_order": number}, user="li.ting").json()["rule"] == "scope_missing"


def test_a_kind_that_says_so_is_filled_without_being_asked(court: RunningCourt, forms: Forms) -> None:
    """In the transaction that dispatches the work order; its fields are those that the kind grants."""
    before = forms.court.call("GET", "/v1/autofill", client="ticket-system").json()
    court.dispatch(court.cast["stayed"], kind="judgment-service")

    finished = []
    for _ in range(200):
        finished = [
            one["event"]
            for one in court.events(type="autofill.finished")
            if one["event"]["detail"]["template"] == "judgment"
        ]
        if finished:
            break
        time.sleep(0.2)

    assert set(before) == {"ready", "delayed", "under_way", "oldest_s"}
    assert [one["outcome"] for one in finished] == ["filled"]
