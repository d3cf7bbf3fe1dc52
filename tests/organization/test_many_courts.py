"""
Sixty-four courts under one roof: each sees and changes its own, and another's looks like nothing.
"""

import asyncio

import pytest

from gateway.organization.import_export import read_organization
from gateway.organization.loading import load_file
from tests.organization.court import OrganizationCourt
from tests.organization.factories import COURTS, REGIONS, code, court_id, many_courts


def test_every_court_sees_itself_and_no_other(province: OrganizationCourt) -> None:
    """Asked by the auditor of each."""
    for number in range(COURTS):
        seen = province.call(
            f"audit_administrator.{court_id(number)}", "GET", "/v1/organization", court=code(number)
        ).json()

        assert {unit["court"] for unit in seen["units"]} == {code(number)}
        assert {person["court"] for person in seen["people"]} == {code(number)}
        assert len(seen["people"]) == 7


def test_a_regions_administrator_sees_the_courts_of_the_region(province: OrganizationCourt) -> None:
    """And no other region's."""
    seen = province.call(f"region_administrator.{court_id(0)}", "GET", "/v1/organization", court=code(0)).json()

    own = {code(number) for number in range(0, COURTS, REGIONS)}
    assert {unit["court"] for unit in seen["units"]} == own | {None}


@pytest.mark.parametrize(
    "office", ["centre_administrator", "system_administrator", "security_administrator", "region_administrator"]
)
def test_units_and_people_of_other_courts_look_nonexistent(province: OrganizationCourt, office: str) -> None:
    """Whatever is tried on them, with the very same words as for what never was."""
    me, mine = f"{office}.{court_id(0)}", court_id(0)
    foreign, nothing = court_id(1), "zj9999"

    def tried(top: str, court: str) -> list[tuple[int, dict[str, object]]]:
        unit = {"kind": "group", "zh": "某", "en": "x"}
        answers = [
            province.call(
                me, "PUT", f"/v1/organization/units/{mine}-x", unit | {"parent": f"{top}-service"}, court=code(0)
            ),
            province.call(
                me,
                "PUT",
                f"/v1/organization/units/{top}-service-1",
                unit | {"parent": f"{mine}-service"},
                court=code(0),
            ),
            province.call(
                me, "PUT", "/v1/organization/people/x.y", {"unit": f"{top}-service-1", "name": "某"}, court=code(0)
            ),
            province.call(
                me, "PUT", f"/v1/organization/people/assistant.{top}", {"unit": f"{top}-service-1"}, court=code(0)
            ),
            province.call(me, "DELETE", f"/v1/organization/people/assistant.{top}?court={court}", court=code(0)),
        ]
        return [(answer.status_code, answer.json() | {"audit": 0, "trace_id": ""}) for answer in answers]

    refused = tried(foreign, code(1))

    assert refused == tried(nothing, "浙9999")
    assert {(status, body["rule"]) for status, body in refused} <= {(403, "outside_subtree"), (403, "unit_id")}


def test_importing_the_same_province_again_changes_nothing(province: OrganizationCourt) -> None:
    """Not a row, not a record."""
    before = len(province.admin_changes())
    file, _ = read_organization(many_courts().encode(), form="json")

    plan = asyncio.run(load_file(province.settings, file))

    assert (plan.new_units, plan.new_people, len(province.admin_changes()) - before) == ([], [], 0)


def test_an_import_is_recorded_once_for_each_court_that_it_concerns(province: OrganizationCourt) -> None:
    """So that each court's auditor finds it."""
    courts = [leaf["who"].get("court") for leaf in province.admin_changes() if leaf["who"].get("role") == "operator"]

    assert sorted(courts, key=str) == sorted([None, *(code(number) for number in range(COURTS))], key=str)
