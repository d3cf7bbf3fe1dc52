"""
The rules of confirmations by a second person, and of emergencies.
"""

from typing import Final

from gateway.organization.roles import Role
from schemas.codes import Code

# The roles that work on cases, that may confirm another person's work order, and that review emergencies.
CASE_ROLES: Final = frozenset({Role.ASSISTANT, Role.JUDGE, Role.GROUP_LEADER, Role.CENTRE_ADMINISTRATOR})
CONFIRMER_ROLES: Final = frozenset({Role.JUDGE, Role.GROUP_LEADER, Role.CENTRE_ADMINISTRATOR})
REVIEWER_ROLES: Final = frozenset({Role.AUDIT_ADMINISTRATOR, Role.CENTRE_ADMINISTRATOR})


class EmergencyRule(Code):
    """Why an emergency, a confirmation or a review is refused."""

    BY_PEOPLE_ONLY = (
        "emergency_by_people_only",
        "应急查询只能由承办人本人发起。请由承办人登录枢纽后发起；工单系统请使用其他种类和编号。",
        "An emergency is stated by the official in person and by no ticket system. Have the official sign in and state "
        "it; use another kind and number for a work order.",
    )
    ROLE_MISSING = (
        "emergency_role_missing",
        "只有办案人员可以发起应急查询。请由工单承办人发起，或请本院安全管理员授予角色。",
        "Only people who work on cases state an emergency. Leave it to the official of the case, or ask the "
        "security administrator of your court for a role.",
    )
    PARTICULARS_MISSING = (
        "particulars_missing",
        "您的承办人信息不全，外部机关不予答复。请本院系统管理员补充公民身份号码、单位代码和终端。",
        "Your particulars as an official are not in the tree, and agencies do not answer without them. Ask the system "
        "administrator of your court to add identity number, unit code, unit name and terminal.",
    )
    REVIEW_OVERDUE = (
        "review_overdue",
        "您此前的应急查询已过审查期限。请联系本院审计管理员或中心管理员先行审查。",
        "An earlier emergency of yours is overdue for review. Ask the audit administrator of your court or the "
        "administrator of your centre to review it first.",
    )
    CONFIRMER_ROLE = (
        "confirmation_role_missing",
        "只有组长、中心管理员或法官可以确认他人的查询。请其中一人确认。",
        "A group leader, a centre's administrator or a judge confirms another's task. Ask one of them.",
    )
    CONFIRMER_OWN = (
        "confirmation_own",
        "任何人不得确认自己承办的工单。请组长、中心管理员或法官确认。",
        "People do not confirm their own task. Ask a group leader, a centre's administrator or a judge.",
    )
    NOT_NEEDED = (
        "confirmation_not_needed",
        "此类工单无须第二人确认。请由承办人直接查询。",
        "This kind of work order needs no second person. Its holder may ask right away.",
    )
    REVIEWER_ROLE = (
        "review_role_missing",
        "只有本院审计管理员或中心管理员可以审查应急查询。请其中一人审查。",
        "The audit administrator of the court or a centre's administrator reviews emergencies. Ask one of them.",
    )
    REVIEWER_OWN = (
        "review_own",
        "承办人和确认人不得审查同一应急查询。请另一人审查。",
        "Neither who held an emergency nor who confirmed it reviews it. Ask another reviewer.",
    )
    REVIEWED = (
        "review_done",
        "该应急查询已审查。如需更正，请联系本院审计管理员。",
        "This emergency has been reviewed already. If that must be corrected, speak to the audit administrator of your "
        "court.",
    )


class EmergencyRefused(Exception):
    """A rule refuses an emergency, a confirmation or a review."""

    def __init__(self, rule: EmergencyRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


class WorkOrderNotFound(Exception):
    """No work order of this number at this court, as far as the caller may know."""
