"""
The tree over HTTP: everybody changes what is below them, every change is on record, and the rest does not exist.
"""

from tests.organization.court import Answer, OrganizationCourt

GROUP = "zj0802-service-1"


def outcome(answer: Answer) -> tuple[int, str]:
    """The status, and the rule or kind of a refusal; a refusal by a rule is on record and says so in both languages."""
    body = answer.json() if answer.content else {}
    if answer.status_code < 400:
        return answer.status_code, ""
    assert body["detail"]
    assert body["detail_zh"]
    if answer.status_code == 403:
        assert isinstance(body["audit"], int)
    return answer.status_code, body.get("rule") or body["type"].removeprefix("urn:shuniu:problem:")


def test_administrators_see_their_subtree_and_a_clerk_only_herself(court: OrganizationCourt) -> None:
    """The view follows the place."""
    seen = {
        who: court.call(who, "GET", "/v1/organization").json()
        for who in ("zheng.hao", "chen.jing", "wu.fang", "sun.li", "li.ting")
    }

    assert {who: len(tree["units"]) for who, tree in seen.items()} == {
        "zheng.hao": 11, "chen.jing": 5, "wu.fang": 3, "sun.li": 1, "li.ting": 1,
    }  # fmt: skip
    assert [person["user"] for person in seen["li.ting"]["people"]] == ["li.ting"]
    assert [person["user"] for person in seen["sun.li"]["people"]] == ["li.ting", "sun.li", "wang.qiang"]


def test_a_new_clerk_is_entered_by_one_administrator_and_given_a_role_by_another(court: OrganizationCourt) -> None:
    """Accounts and rights are two hands."""
    assert outcome(court.put_person("admin", "xu.lan", unit=GROUP, name="许兰", roles=["assistant"])) == (
        403,
        "roles_by_security_administrator",
    )
    assert outcome(court.put_person("admin", "xu.lan", unit=GROUP, name="许兰")) == (200, "")
    assert outcome(court.put_person("feng.an", "xu.lan", unit=GROUP, roles=["assistant"])) == (200, "")

    assert court.call("xu.lan", "GET", "/v1/organization").json()["people"] == [
        {
            "court": "浙0802",
            "user": "xu.lan",
            "unit": GROUP,
            "roles": ["assistant"],
            "active": True,
            "name": "许兰",
            "official": False,
        }
    ]


def test_every_change_is_recorded_and_a_repeated_one_changes_nothing(court: OrganizationCourt) -> None:
    """The record stands before the change does; names stand in neither."""
    before = len(court.admin_changes())
    body = {"parent": "zj0802-service", "kind": "group", "zh": "送达三组", "en": "Third service group"}

    first = court.call("wu.fang", "PUT", "/v1/organization/units/zj0802-service-3", body).json()
    again = court.call("wu.fang", "PUT", "/v1/organization/units/zj0802-service-3", body).json()

    assert (first["replayed"], again) == (False, {"audit": None, "replayed": True})
    (recorded,) = court.admin_changes()[before:]
    assert recorded["detail"] == {"units": 1, "people": 0, "unit": "zj0802-service-3"}
    assert recorded["who"]["role"] == "centre_administrator"


def test_a_moved_centre_moves_its_subtree(court: OrganizationCourt) -> None:
    """The way to a group follows its centre."""
    made = court.call(
        "admin",
        "PUT",
        "/v1/organization/units/zj0802-mediation",
        {"parent": "zj0802", "kind": "centre", "zh": "调解中心", "en": "Mediation"},
    )
    moved = court.call(
        "admin",
        "PUT",
        f"/v1/organization/units/{GROUP}",
        {"parent": "zj0802-mediation", "kind": "group", "zh": "送达一组", "en": "First service group"},
    )

    assert [outcome(made), outcome(moved)] == [(200, "")] * 2
    assert court.query("SELECT path FROM org_unit WHERE id = %s", GROUP) == [
        (["zj08", "zj0802", "zj0802-mediation", GROUP],)
    ]
    assert outcome(court.put_person("wu.fang", "li.ting", unit=GROUP, name="李婷")) == (403, "outside_subtree")


def test_a_deactivated_account_is_refused_at_once_and_comes_back_without_roles(court: OrganizationCourt) -> None:
    """A right that was given up is given anew or not at all."""
    assert outcome(court.call("admin", "DELETE", "/v1/organization/people/li.ting")) == (200, "")
    assert outcome(court.call("li.ting", "GET", "/v1/organization")) == (403, "not_a_member")

    assert outcome(court.put_person("admin", "li.ting", unit=GROUP)) == (200, "")

    assert court.call("li.ting", "GET", "/v1/organization").json()["people"][0]["roles"] == []


def test_names_and_particulars_are_encrypted_in_the_database(court: OrganizationCourt) -> None:
    """The row shows an account, a place and roles."""
    official = {
        "id_number": "330802199003071239",
        "unit_code": "11330800DEM000196R",
        "unit_name": "示例市柯城区人民法院",
        "terminal": "10.0.0.99",
    }
    assert outcome(court.put_person("admin", "xu.lan", unit=GROUP, name="许兰", official=official)) == (200, "")

    (row,) = court.query('SELECT org_person::text FROM org_person WHERE "user" = %s', "xu.lan")
    sealed = bytes.fromhex(row[0].rsplit("\\x", 1)[1].rstrip(')"'))

    assert [word for word in ("许兰", *official.values()) if word in row[0] or word.encode() in sealed] == []


def test_a_personal_number_cannot_be_an_account(court: OrganizationCourt) -> None:
    """The address would hold it."""
    answer = court.put_person("admin", "330802199003071239", unit=GROUP, name="许兰")

    assert outcome(answer) == (422, "invalid-input")
    assert "330802199003071239" not in answer.text


def test_wrong_rows_are_refused_by_the_rule_that_they_break(court: OrganizationCourt) -> None:
    """The rules of the file hold over HTTP as well."""

    def unit(**body: str) -> Answer:
        return court.call("admin", "PUT", "/v1/organization/units/zj0802-x", {"zh": "某", "en": "x"} | body)

    wrong_number = {
        "id_number": "330802199003071230",
        "unit_code": "11330800DEM000196R",
        "unit_name": "某院",
        "terminal": "x",
    }

    assert {
        "group below a court": outcome(unit(parent="zj0802", kind="group")),
        "a region by HTTP": outcome(unit(parent="zj0802", kind="region")),
        "two of the three administrators": outcome(
            court.put_person("feng.an", "admin", unit="zj0802", roles=["system_administrator", "audit_administrator"])
        ),
        "a leader without a group": outcome(
            court.put_person("feng.an", "zhou.yan", unit="zj0802-filing", roles=["group_leader"])
        ),
        "wrong particulars": outcome(court.put_person("admin", "li.ting", unit=GROUP, official=wrong_number)),
        "nobody's name": outcome(court.put_person("admin", "xu.lan", unit=GROUP)),
    } == {
        "group below a court": (403, "unit_parent"),
        "a region by HTTP": (422, "invalid-input"),
        "two of the three administrators": (403, "roles_separated"),
        "a leader without a group": (403, "role_place"),
        "wrong particulars": (403, "particulars"),
        "nobody's name": (403, "person_name"),
    }
