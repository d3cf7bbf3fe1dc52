"""
The roles of people in the tree, and which of them exclude each other.

Three administrators check each other (GB/T 22239-2019, 8.1.4.2): the system administrator makes accounts and gives no
rights, the security administrator gives rights and makes no accounts, the audit administrator does neither.  None of
them works on cases.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import UnitKind
from schemas.codes import Code


class Role(Code):
    """A role of a person in their unit."""

    REGION_ADMINISTRATOR = "region_administrator", "区域管理员", "Region administrator"
    CENTRE_ADMINISTRATOR = "centre_administrator", "中心管理员", "Centre administrator"
    GROUP_LEADER = "group_leader", "组长", "Group leader"
    ASSISTANT = "assistant", "助理", "Assistant"
    JUDGE = "judge", "法官", "Judge"
    SYSTEM_ADMINISTRATOR = "system_administrator", "系统管理员", "System administrator"
    SECURITY_ADMINISTRATOR = "security_administrator", "安全管理员", "Security administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator", "审计管理员", "Audit administrator"


SEPARATED: Final = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR})

_IN_COURT: Final = frozenset({UnitKind.COURT, UnitKind.CENTRE, UnitKind.GROUP})

# The kinds of unit in which a role is held.
UNIT_KINDS: Final[Mapping[Role, frozenset[UnitKind]]] = {
    Role.REGION_ADMINISTRATOR: frozenset({UnitKind.REGION}),
    Role.CENTRE_ADMINISTRATOR: frozenset({UnitKind.CENTRE}),
    Role.GROUP_LEADER: frozenset({UnitKind.GROUP}),
    Role.ASSISTANT: _IN_COURT,
    Role.JUDGE: _IN_COURT,
    Role.SYSTEM_ADMINISTRATOR: frozenset({UnitKind.COURT}),
    Role.SECURITY_ADMINISTRATOR: frozenset({UnitKind.COURT}),
    Role.AUDIT_ADMINISTRATOR: frozenset({UnitKind.COURT}),
}


def role_violation(roles: AbstractSet[Role], kind: UnitKind) -> OrganizationRule | None:
    """The rule that these roles of one person in one kind of unit break, or None."""
    if roles & SEPARATED and len(roles) > 1:
        return OrganizationRule.ROLES_SEPARATED
    if any(kind not in UNIT_KINDS[role] for role in roles):
        return OrganizationRule.ROLE_PLACE
    return None
