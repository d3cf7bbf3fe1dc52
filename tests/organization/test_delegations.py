"""
Standing in: inside one group, for a bounded time, never passed on, ended at once.
"""

import pytest

from tests.organization.court import OrganizationCourt
from tests.organization.tasks import delegate, dispatch, look_up, told, whole


def test_only_the_deputy_may_ask_under_the_absent_persons_work_orders(court: OrganizationCourt) -> None:
    """The right goes with the task; the task goes to whom the leader names."""
    dispatch(court)
    assert told(look_up(court, "wang.qiang")) == (403, "work_order_not_held")

    assert delegate(court, "sun.li", "li.ting", "wang.qiang").status_code == 201

    assert [told(look_up(court, who)) for who in ("wang.qiang", "li.ting", "sun.li", "qian.wei")] == [
        (200, ""),
        (200, ""),
        (403, "work_order_not_held"),
        (403, "work_order_not_held"),
    ]


def test_a_delegation_begins_and_ends_at_its_times(court: OrganizationCourt) -> None:
    """The clock of access decides, and it never goes back."""
    dispatch(court, kind="enforcement-notice")
    delegate(court, "sun.li", "li.ting", "wang.qiang", begins=1, days=2)
    before = told(look_up(court, "wang.qiang"))
    court.advance("25 hours")
    while_it_lasts = told(look_up(court, "wang.qiang"))
    court.advance("48 hours")

    assert (before, while_it_lasts, told(look_up(court, "wang.qiang"))) == (
        (403, "work_order_not_held"),
        (200, ""),
        (403, "work_order_not_held"),
    )


@pytest.mark.parametrize("who", ["li.ting", "wang.qiang", "sun.li"])
def test_either_person_or_their_leader_ends_a_delegation_at_once(court: OrganizationCourt, who: str) -> None:
    """When the call returns the right is gone; ending it again is harmless."""
    dispatch(court)
    made = delegate(court, "li.ting", "li.ting", "wang.qiang").json()
    assert told(look_up(court, "wang.qiang")) == (200, "")

    ended = [court.call(who, "DELETE", f"/v1/delegations/{made['id']}").status_code for _ in range(2)]

    assert ended == [204, 204]
    assert told(look_up(court, "wang.qiang")) == (403, "work_order_not_held")


def test_another_groups_delegation_looks_nonexistent(court: OrganizationCourt) -> None:
    """Another group's, another court's, and one that never was."""
    made = delegate(court, "sun.li", "li.ting", "wang.qiang").json()
    path = f"/v1/delegations/{made['id']}"
    nowhere = court.call("sun.li", "DELETE", "/v1/delegations/00000000-0000-4000-8000-000000000000")

    others = [
        court.call("qian.wei", "DELETE", path),
        court.call("wei.na", "DELETE", path, court="浙0803"),
        court.call("chen.jing", "DELETE", path),
    ]

    assert nowhere.status_code == 404
    assert [whole(answer) for answer in others] == [whole(nowhere)] * 3
    assert [delegation["id"] for delegation in court.call("sun.li", "GET", "/v1/delegations").json()] == [made["id"]]
    assert court.call("qian.wei", "GET", "/v1/delegations").json() == []


def test_every_refusal_names_its_rule(court: OrganizationCourt) -> None:
    """Who may name whom, and for how long."""
    assert {
        "for a colleague": told(delegate(court, "wang.qiang", "li.ting", "wang.qiang")),
        "for oneself, by oneself": told(delegate(court, "sun.li", "li.ting", "li.ting")),
        "to another group": told(delegate(court, "sun.li", "li.ting", "qian.wei")),
        "to another court": told(delegate(court, "sun.li", "li.ting", "zhao.min")),
        "to nobody": told(delegate(court, "sun.li", "li.ting", "no.body")),
        "for 31 days": told(delegate(court, "sun.li", "li.ting", "wang.qiang", days=31)),
        "in the past": told(delegate(court, "sun.li", "li.ting", "wang.qiang", begins=-9, days=8)),
        "backwards": told(delegate(court, "sun.li", "li.ting", "wang.qiang", days=-1)),
        "by a centre's administrator": told(delegate(court, "wu.fang", "li.ting", "wang.qiang")),
        "by an auditor": told(delegate(court, "chen.jing", "li.ting", "wang.qiang")),
    } == {
        "for a colleague": (403, "delegation_not_yours"),
        "for oneself, by oneself": (403, "delegation_self"),
        "to another group": (403, "delegation_group"),
        "to another court": (403, "delegation_group"),
        "to nobody": (403, "delegation_group"),
        "for 31 days": (403, "delegation_period"),
        "in the past": (403, "delegation_period"),
        "backwards": (403, "delegation_period"),
        "by a centre's administrator": (403, "delegation_not_yours"),
        "by an auditor": (403, "delegation_not_yours"),
    }


def test_delegations_are_not_transitive(court: OrganizationCourt) -> None:
    """Whoever is away is nobody's deputy, and a deputy's deputy has no part in the first one's tasks."""
    dispatch(court)
    delegate(court, "sun.li", "li.ting", "wang.qiang")
    assert told(delegate(court, "sun.li", "sun.li", "li.ting")) == (403, "deputy_absent")

    assert delegate(court, "sun.li", "wang.qiang", "sun.li").status_code == 201

    assert told(look_up(court, "sun.li")) == (403, "work_order_not_held")


def test_a_delegation_ends_when_either_person_leaves_the_group(court: OrganizationCourt) -> None:
    """Outside of the group there is nothing to stand in for."""
    dispatch(court)
    delegate(court, "sun.li", "li.ting", "wang.qiang")

    moved = court.put_person("wu.fang", "wang.qiang", unit="zj0802-service-2")

    assert moved.status_code == 200
    assert told(look_up(court, "wang.qiang")) == (403, "work_order_not_held")
    assert court.call("sun.li", "GET", "/v1/delegations").json() == []


def test_delegations_are_recorded_with_their_people_sealed(court: OrganizationCourt) -> None:
    """The record names the delegation; who it is about is sealed beside it."""
    before = len(court.admin_changes())
    made = delegate(court, "sun.li", "li.ting", "wang.qiang").json()
    court.call("sun.li", "DELETE", f"/v1/delegations/{made['id']}")

    leaves = court.admin_changes()[before:]

    assert [(leaf["outcome"], leaf["detail"]) for leaf in leaves] == [
        ("changed", {"delegation": made["id"]}),
        ("ended", {"delegation": made["id"]}),
    ]
    assert "wang.qiang" not in str(leaves)
