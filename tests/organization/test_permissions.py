"""
Nobody rises inside the tree: who may change what, as a table, and each way up that somebody might try.
"""

import pytest

from gateway.access.emergency_rules import EmergencyRule
from gateway.organization.delegations import DelegationRule
from gateway.organization.people import Member
from gateway.organization.permissions import PersonChange as Of
from gateway.organization.permissions import Post, UnitChange, may_change
from gateway.organization.roles import SEPARATED, Role, role_violation
from gateway.organization.rules import OrganizationRule as Rule
from gateway.organization.tree import UnitKind, UnitPosition

COURT, OTHER = "浙0802", "浙0803"
REGION = UnitPosition(kind=UnitKind.REGION, court=None, path=("zj08",))
FOREIGN_REGION = UnitPosition(kind=UnitKind.REGION, court=None, path=("zj09",))
TOP = UnitPosition(kind=UnitKind.COURT, court=COURT, path=("zj08", "a"))
CENTRE = UnitPosition(kind=UnitKind.CENTRE, court=COURT, path=("zj08", "a", "a-1"))
GROUP = UnitPosition(kind=UnitKind.GROUP, court=COURT, path=("zj08", "a", "a-1", "a-1-1"))
SECOND_GROUP = UnitPosition(kind=UnitKind.GROUP, court=COURT, path=("zj08", "a", "a-1", "a-1-2"))
OTHER_CENTRE = UnitPosition(kind=UnitKind.CENTRE, court=COURT, path=("zj08", "a", "a-2"))
FOREIGN_TOP = UnitPosition(kind=UnitKind.COURT, court=OTHER, path=("zj08", "b"))
FOREIGN_GROUP = UnitPosition(kind=UnitKind.GROUP, court=OTHER, path=("zj08", "b", "b-1", "b-1-1"))

PLACES = {
    Role.REGION_ADMINISTRATOR: REGION,
    Role.CENTRE_ADMINISTRATOR: CENTRE,
    Role.GROUP_LEADER: GROUP,
    Role.ASSISTANT: GROUP,
    Role.JUDGE: CENTRE,
    Role.SYSTEM_ADMINISTRATOR: TOP,
    Role.SECURITY_ADMINISTRATOR: TOP,
    Role.AUDIT_ADMINISTRATOR: TOP,
}
REGION_ADMIN, CENTRE_ADMIN, SYSTEM, SECURITY = (
    Role.REGION_ADMINISTRATOR,
    Role.CENTRE_ADMINISTRATOR,
    Role.SYSTEM_ADMINISTRATOR,
    Role.SECURITY_ADMINISTRATOR,
)


def somebody(*roles: Role, user: str = "actor") -> Member:
    """A member of the court with these roles, at the place of the first."""
    return Member(court=COURT, user=user, position=PLACES[roles[0]], roles=frozenset(roles))


def post(place: UnitPosition, *roles: Role, active: bool = True) -> Post:
    """Where somebody sits, and as what."""
    return Post(position=place, roles=frozenset(roles), active=active)


def change_of(before: Post | None, after: Post, *, user: str = "other", particulars: bool = False) -> Of:
    """A change of a person."""
    court = (before or after).position.court or COURT
    return Of(court=court, user=user, before=before, after=after, particulars=particulars)


ASSISTANT, LEADER = post(GROUP, Role.ASSISTANT), post(GROUP, Role.GROUP_LEADER)
NEW = change_of(None, post(GROUP), particulars=True)
NEW_ASSISTANT = change_of(None, ASSISTANT, particulars=True)
PROMOTED = change_of(ASSISTANT, LEADER)
MOVED = change_of(ASSISTANT, post(SECOND_GROUP, Role.ASSISTANT))
LEADER_MOVED = change_of(LEADER, post(SECOND_GROUP, Role.GROUP_LEADER))
GONE = change_of(ASSISTANT, post(GROUP, active=False))
BACK = change_of(post(GROUP, active=False), post(GROUP))
NAMED_CENTRE_ADMIN = change_of(None, post(CENTRE, CENTRE_ADMIN), particulars=True)
FETCHED_IN = change_of(post(FOREIGN_GROUP, Role.ASSISTANT), ASSISTANT)
ABROAD = change_of(None, post(FOREIGN_GROUP, Role.ASSISTANT), particulars=True)
AUDITOR_NAMED = change_of(post(TOP), post(TOP, Role.AUDIT_ADMINISTRATOR))
AUDITOR_GONE = change_of(post(TOP, Role.AUDIT_ADMINISTRATOR), post(TOP, active=False))
RENAMED = change_of(ASSISTANT, ASSISTANT, particulars=True)

TABLE = {
    "an account without a role": (NEW, None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "an account with a role": (NEW_ASSISTANT, None, None, Rule.ROLES_BY_SECURITY, Rule.ACCOUNTS_BY_SYSTEM),
    "an assistant made leader": (PROMOTED, None, None, Rule.ROLES_BY_SECURITY, None),
    "an assistant moved": (MOVED, None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "a leader moved with the role": (LEADER_MOVED, None, None, Rule.ROLES_FIRST, Rule.ACCOUNTS_BY_SYSTEM),
    "an account switched off": (GONE, None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "an account switched on": (BACK, None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "a centre's administrator named": (
        NAMED_CENTRE_ADMIN, None, Rule.OUTSIDE_SUBTREE, Rule.ROLES_BY_SECURITY, Rule.ACCOUNTS_BY_SYSTEM,
    ),
    "somebody fetched in from another court": (
        FETCHED_IN, None, Rule.OUTSIDE_SUBTREE, Rule.OUTSIDE_SUBTREE, Rule.OUTSIDE_SUBTREE,
    ),
    "an account at another court": (ABROAD, None, Rule.OUTSIDE_SUBTREE, Rule.OUTSIDE_SUBTREE, Rule.OUTSIDE_SUBTREE),
    "an auditor named": (
        AUDITOR_NAMED, Rule.SEPARATED_ADMINISTRATORS, Rule.OUTSIDE_SUBTREE, Rule.ROLES_BY_SECURITY, None,
    ),
    "an auditor switched off": (
        AUDITOR_GONE, Rule.SEPARATED_ADMINISTRATORS, Rule.OUTSIDE_SUBTREE, Rule.SEPARATED_ADMINISTRATORS,
        Rule.ACCOUNTS_BY_SYSTEM,
    ),
    "another name": (RENAMED, None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "a group made": (UnitChange(before=None, after=GROUP), None, None, None, Rule.ACCOUNTS_BY_SYSTEM),
    "a centre made": (UnitChange(before=None, after=CENTRE), None, Rule.OUTSIDE_SUBTREE, None, Rule.ACCOUNTS_BY_SYSTEM),
    "a group moved to another centre": (
        UnitChange(
            before=GROUP, after=UnitPosition(kind=UnitKind.GROUP, court=COURT, path=(*OTHER_CENTRE.path, "a-1-1"))
        ),
        None, Rule.OUTSIDE_SUBTREE, None, Rule.ACCOUNTS_BY_SYSTEM,
    ),
    "a court renamed": (
        UnitChange(before=TOP, after=TOP), Rule.COURTS_BY_FILE, Rule.OUTSIDE_SUBTREE, Rule.COURTS_BY_FILE,
        Rule.ACCOUNTS_BY_SYSTEM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
@pytest.mark.parametrize(("column", "role"), list(enumerate((REGION_ADMIN, CENTRE_ADMIN, SYSTEM, SECURITY), start=1)))
def test_each_office_may_change_its_own_part_only(case: str, column: int, role: Role) -> None:
    """Four administrators, and what each is told."""
    change = TABLE[case][0]

    assert may_change(somebody(role), change) == TABLE[case][column]


@pytest.mark.parametrize("role", [Role.GROUP_LEADER, Role.ASSISTANT, Role.JUDGE, Role.AUDIT_ADMINISTRATOR])
@pytest.mark.parametrize("case", TABLE)
def test_roles_without_an_office_may_change_nothing(role: Role, case: str) -> None:
    """Leaders and judges administer nobody, and who watches does not act."""
    assert may_change(somebody(role), TABLE[case][0]) is Rule.NOT_ADMINISTRATOR


@pytest.mark.parametrize("role", Role)
def test_changes_of_the_own_entry_are_refused(role: Role) -> None:
    """Not a role, not a place, not a name; at no court of the tree."""
    me = somebody(role)
    here = Post(position=me.position, roles=me.roles)
    changes = [
        Of(court=court, user=me.user, before=before, after=post(GROUP, gift))
        for court, before in ((COURT, here), (OTHER, None))
        for gift in Role
    ]

    assert {may_change(me, change) for change in changes} == {Rule.OWN_ENTRY}


@pytest.mark.parametrize("gift", [Role.REGION_ADMINISTRATOR, Role.CENTRE_ADMINISTRATOR, *sorted(SEPARATED)])
def test_a_centre_administrator_cannot_appoint_equals_or_superiors(gift: Role) -> None:
    """What they do not hold above the place they cannot give below it."""
    assert may_change(somebody(CENTRE_ADMIN), change_of(ASSISTANT, post(GROUP, gift))) in {
        Rule.BEYOND_OWN_ROLE,
        Rule.SEPARATED_ADMINISTRATORS,
    }


def test_a_centre_administrator_cannot_depose_a_superior_below() -> None:
    """Taking a role is as bounded as giving it."""
    deposed = change_of(post(GROUP, CENTRE_ADMIN), post(GROUP))

    assert may_change(somebody(CENTRE_ADMIN), deposed) is Rule.BEYOND_OWN_ROLE


@pytest.mark.parametrize("place", [REGION, FOREIGN_REGION])
def test_a_regions_role_cannot_be_given_over_http(place: UnitPosition) -> None:
    """The security administrator's court ends below the region, and a region's administrator names no equal."""
    crowned = change_of(post(place), post(place, REGION_ADMIN))

    assert {may_change(somebody(role), crowned) for role in (REGION_ADMIN, SYSTEM, SECURITY)} == {Rule.OUTSIDE_SUBTREE}


def test_the_security_administrator_cannot_change_another_court() -> None:
    """Roles are given inside the own court."""
    foreign = change_of(post(FOREIGN_TOP), post(FOREIGN_TOP, Role.AUDIT_ADMINISTRATOR))

    assert may_change(somebody(SECURITY), foreign) is Rule.OUTSIDE_SUBTREE


def test_the_security_administrator_cannot_combine_a_move_with_roles() -> None:
    """One hand gives the role, another the place."""
    both = change_of(ASSISTANT, post(SECOND_GROUP, Role.GROUP_LEADER))

    assert may_change(somebody(SECURITY), both) is Rule.ACCOUNTS_BY_SYSTEM


def test_the_system_administrator_cannot_reactivate_an_account_with_roles() -> None:
    """Switching on gives nothing."""
    back = change_of(post(GROUP, active=False), ASSISTANT)

    assert may_change(somebody(SYSTEM), back) is Rule.ROLES_BY_SECURITY


def test_two_offices_of_one_person_permit_no_third() -> None:
    """Each change is judged by each office alone."""
    both = Member(court=COURT, user="actor", position=CENTRE, roles=frozenset({CENTRE_ADMIN, Role.JUDGE}))

    assert may_change(both, NAMED_CENTRE_ADMIN) is Rule.OUTSIDE_SUBTREE
    assert may_change(both, PROMOTED) is None


@pytest.mark.parametrize("first", sorted(SEPARATED))
@pytest.mark.parametrize("second", Role)
def test_the_three_administrators_are_three_people_without_any_other_role(first: Role, second: Role) -> None:
    """GB/T 22239-2019, 8.1.4.2."""
    rule = role_violation({first, second}, UnitKind.COURT)

    assert rule is (None if first is second else Rule.ROLES_SEPARATED)


def test_every_rule_says_who_can_help_in_both_languages() -> None:
    """A refusal ends with a next step."""
    for rule in (*Rule, *EmergencyRule, *DelegationRule):
        assert rule.en.endswith(".")
        assert rule.zh.endswith("。")
        assert "请" in rule.zh
