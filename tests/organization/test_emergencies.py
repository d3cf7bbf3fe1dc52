"""
Breaking the glass: two people, four hours, the asked scope, flagged, reviewed.
"""

import json

import pytest

from tests.organization.court import OrganizationCourt
from tests.organization.tasks import HOLDER, PARTY, confirm, dispatch, emergency, look_up, review, told, whole


def test_an_emergency_grants_nothing_until_a_second_person_confirms_it(court: OrganizationCourt) -> None:
    """One person alone opens nothing."""
    begun = emergency(court, "li.ting")
    assert begun.status_code == 201
    number = begun.json()["work_order"]
    assert told(look_up(court, "li.ting", number)) == (403, "second_person_missing")

    assert told(confirm(court, "sun.li", number)) == (200, "")

    assert told(look_up(court, "li.ting", number)) == (200, "")
    assert told(look_up(court, "sun.li", number)) == (403, "work_order_not_held")


@pytest.mark.parametrize("who", ["sun.li", "wu.fang", "zhou.yan"])
def test_a_leader_a_centres_administrator_or_a_judge_confirms(court: OrganizationCourt, who: str) -> None:
    """Confirming again changes nothing."""
    number = emergency(court, "li.ting").json()["work_order"]

    first, again = confirm(court, who, number).json(), confirm(court, who, number).json()

    assert (first["replayed"], again) == (False, {"audit": None, "replayed": True})


def test_other_roles_cannot_confirm(court: OrganizationCourt) -> None:
    """Not the holder, not an equal, not who keeps the system, not another court."""
    number = emergency(court, "sun.li").json()["work_order"]
    nowhere = confirm(court, "zhou.yan", "BG-nothing")

    assert {
        "the holder": told(confirm(court, "sun.li", number)),
        "an assistant": told(confirm(court, "wang.qiang", number)),
        "an auditor": told(confirm(court, "chen.jing", number)),
        "a security administrator": told(confirm(court, "feng.an", number)),
        "another version": told(confirm(court, "zhou.yan", number, 2)),
    } == {
        "the holder": (403, "confirmation_own"),
        "an assistant": (403, "confirmation_role_missing"),
        "an auditor": (403, "confirmation_role_missing"),
        "a security administrator": (403, "confirmation_role_missing"),
        "another version": (409, "version-conflict"),
    }
    foreign = confirm(court, "wei.na", number, court="浙0803")
    assert (foreign.status_code, whole(foreign)) == (404, whole(nowhere))
    assert told(look_up(court, "sun.li", number)) == (403, "second_person_missing")


def test_an_emergency_is_bounded_to_its_request_and_to_four_hours(court: OrganizationCourt) -> None:
    """What the kind would grant beyond that is not granted."""
    number = emergency(court, "li.ting").json()["work_order"]
    confirm(court, "sun.li", number)

    assert told(look_up(court, "li.ting", number, "addresses")) == (403, "lookup_not_granted")
    court.advance("4 hours")
    assert told(look_up(court, "li.ting", number)) == (403, "grant_ended")


@pytest.mark.parametrize("who", ["li.ting", "zhou.yan"])
def test_an_emergency_is_ended_early_by_its_holder_or_a_confirmer(court: OrganizationCourt, who: str) -> None:
    """When the call returns the right is gone; an equal cannot end it, and it cannot be confirmed back to life."""
    number = emergency(court, "li.ting").json()["work_order"]
    confirm(court, "sun.li", number)
    path = f"/v1/emergencies/{number}"
    assert court.call("wang.qiang", "DELETE", path).status_code == 404
    assert told(look_up(court, "li.ting", number)) == (200, "")

    assert [court.call(who, "DELETE", path).status_code for _ in range(2)] == [204, 204]

    assert told(look_up(court, "li.ting", number)) == (403, "work_order_not_open")
    confirm(court, "sun.li", number, 2)
    assert told(look_up(court, "li.ting", number)) == (403, "work_order_not_open")


def test_an_emergency_needs_a_case_role_and_particulars(court: OrganizationCourt) -> None:
    """The three administrators look nobody up, and an agency answers no official whom it does not know."""
    court.put_person("admin", "xu.lan", unit="zj0802-service-1", name="许兰")
    court.put_person("feng.an", "xu.lan", unit="zj0802-service-1", roles=["assistant"])

    assert [told(emergency(court, who)) for who in ("admin", "feng.an", "chen.jing", "zheng.hao", "no.body")] == [
        (403, "emergency_role_missing"),
        (403, "emergency_role_missing"),
        (403, "emergency_role_missing"),
        (403, "emergency_role_missing"),
        (403, "not_a_member"),
    ]
    assert told(emergency(court, "xu.lan")) == (403, "particulars_missing")


def test_the_ticket_system_cannot_state_an_emergency(court: OrganizationCourt) -> None:
    """Neither by the kind nor by the number, however it is spelt, nor by taking over a person's."""
    mine = emergency(court, "li.ting").json()["work_order"]

    refused = [
        dispatch(court, "T-9", kind="emergency"),
        dispatch(court, "BG-9"),
        dispatch(court, "bg-9"),
        dispatch(court, mine, version=2, kind="service-of-process"),
    ]

    assert {told(answer) for answer in refused} == {(403, "emergency_by_people_only")}


def test_a_kind_of_the_ticket_system_that_needs_a_second_person_is_confirmed_the_same_way(
    court: OrganizationCourt,
) -> None:
    """And a newer version must be confirmed anew."""
    dispatch(court, "T-2", kind="address-inquiry")
    before = told(look_up(court, "li.ting", "T-2"))
    confirm(court, "zhou.yan", "T-2")
    after = told(look_up(court, "li.ting", "T-2"))
    dispatch(court, "T-2", kind="address-inquiry", version=2)

    assert (before, after, told(look_up(court, "li.ting", "T-2"))) == (
        (403, "second_person_missing"),
        (200, ""),
        (403, "second_person_missing"),
    )
    dispatch(court, "T-3")
    assert told(confirm(court, "zhou.yan", "T-3")) == (403, "confirmation_not_needed")


def test_an_emergency_is_reviewed_by_a_person_without_part_in_it(court: OrganizationCourt) -> None:
    """The auditor, or an administrator of a centre; neither holder nor confirmer; once."""
    number = emergency(court, "sun.li").json()["work_order"]
    confirm(court, "wu.fang", number)

    assert {
        "an equal": told(review(court, "wang.qiang", number)),
        "the holder": told(review(court, "sun.li", number)),
        "the confirmer": told(review(court, "wu.fang", number)),
        "another court's auditor": told(review(court, "yang.xue", number, court="浙0803")),
        "of nothing": told(review(court, "chen.jing", "BG-nothing")),
        "the auditor": told(review(court, "chen.jing", number, "follow_up")),
        "the auditor, again": told(review(court, "chen.jing", number)),
    } == {
        "an equal": (403, "review_role_missing"),
        "the holder": (403, "review_role_missing"),
        "the confirmer": (403, "review_own"),
        "another court's auditor": (404, "not-found"),
        "of nothing": (404, "not-found"),
        "the auditor": (200, ""),
        "the auditor, again": (403, "review_done"),
    }


def test_while_a_review_is_overdue_its_holder_gets_no_other_emergency(court: OrganizationCourt) -> None:
    """Three days; the review ends it, a colleague is not concerned."""
    number = emergency(court, "li.ting").json()["work_order"]
    assert emergency(court, "li.ting").status_code == 201
    court.advance("73 hours")

    due = court.call("chen.jing", "GET", "/v1/reviews").json()
    assert [(review["holder"], review["overdue"]) for review in due] == [("li.ting", True)] * 2
    assert told(emergency(court, "li.ting")) == (403, "review_overdue")
    assert told(emergency(court, "wang.qiang")) == (201, "")
    for due_review in due:
        assert review(court, "wu.fang", due_review["work_order"]).status_code == 200

    assert told(emergency(court, "li.ting")) == (201, "")
    assert number in {review["work_order"] for review in due}


def test_open_reviews_are_shown_to_reviewers_of_the_court_alone(court: OrganizationCourt) -> None:
    """Another court has its own."""
    emergency(court, "li.ting")

    assert len(court.call("wu.fang", "GET", "/v1/reviews").json()) == 1
    assert court.call("yang.xue", "GET", "/v1/reviews", court="浙0803").json() == []
    assert told(court.call("li.ting", "GET", "/v1/reviews")) == (403, "review_role_missing")


def test_every_step_is_flagged_in_the_log_with_its_sealed_note(court: OrganizationCourt) -> None:
    """Stated, confirmed, reviewed, ended: four records; what people wrote is in none of them."""
    before = court.query("SELECT count(*) FROM audit.entry")[0][0]
    number = emergency(court, "li.ting").json()["work_order"]
    confirm(court, "sun.li", number)
    court.call("li.ting", "DELETE", f"/v1/emergencies/{number}")
    review(court, "chen.jing", number)

    rows = court.query("SELECT body FROM audit.entry WHERE idx >= %s ORDER BY idx", before)
    leaves = [json.loads(bytes(row[0])) for row in rows]
    stored = court.query("SELECT string_agg(kept::text, '') FROM audit.kept")[0][0]

    assert [(leaf["type"], leaf["outcome"], leaf.get("detail")) for leaf in leaves] == [
        ("work_order.changed", "dispatched", {"parties": 1, "exception": "break_glass", "reason": "deadline"}),
        ("work_order.changed", "confirmed", None),
        ("work_order.changed", "closed", {"parties": 1, "exception": "break_glass"}),
        ("work_order.changed", "reviewed", {"exception": "break_glass", "finding": "justified"}),
    ]
    for personal in ("保全期限", "卷宗核对", PARTY["id_number"], HOLDER["id_number"], number):
        assert personal not in str(leaves)
        assert personal not in stored
