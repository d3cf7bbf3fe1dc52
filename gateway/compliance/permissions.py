"""
Permissions of compliance staff, checked at every step; each rule says who can help.
"""

from typing import Final

from gateway.access.emergency_rules import REVIEWER_ROLES
from gateway.organization.people import Member
from gateway.organization.roles import Role
from schemas.codes import Code

# Statistics are anonymous: every administrator of a part of the tree may see those of its courts.
FIGURES: Final = frozenset(Role) - {Role.ASSISTANT, Role.JUDGE, Role.GROUP_LEADER}


class ComplianceRule(Code):
    """A rule that refuses a step."""

    AUDITOR_ONLY = (
        "auditor_only",
        "只有本院审计管理员可以查阅审计日志。请联系该管理员，或由安全管理员授予角色。",
        "Only the audit administrator of a court reads its audit log. Ask that person, or have the security "
        "administrator give you the office.",
    )
    FIGURES_ONLY = (
        "figures_role_missing",
        "统计数据供管理人员查阅。请联系本院审计管理员或中心管理员。",
        "Figures are for those who administer a part of the court. Ask the audit administrator or your centre's "
        "administrator.",
    )
    REVIEW_OWN = (
        "use_review_own",
        "任何人不得核查自己的使用情况。请联系本院安全管理员另行指定审计管理员。",
        "A person's own use is reviewed by another. Ask the security administrator of your court to name another audit "
        "administrator.",
    )
    RELEASE_ROLE = (
        "release_role_missing",
        "只有本院审计管理员或中心管理员可以放行查询告知报告。请其中一人放行。",
        "The audit administrator of the court or a centre's administrator releases a report. Ask one of them.",
    )
    RELEASE_OWN = (
        "release_own",
        "起草人不得放行自己起草的报告。请本院中心管理员或另一名审计管理员放行。",
        "The drafter of a report does not release it. Ask a centre's administrator or another audit administrator.",
    )
    RELEASE_INVOLVED = (
        "release_involved",
        "报告中有您本人的查询，不得由您放行。请本院另一名中心管理员或审计管理员放行。",
        "The report includes lookups of your own, so you do not release it. Ask another person with this right.",
    )
    RELEASED = (
        "report_released",
        "该报告已放行，不能再变更。需要更正的，请重新起草。",
        "This report has been released and stays as it is. Draft a new one if something must be corrected.",
    )
    CHANGED = (
        "report_changed",
        "报告在您阅读之后有变动。请重新阅读后再放行。",
        "The report was changed after you read it. Read it again, then release it.",
    )
    TOO_MUCH = (
        "report_too_long",
        "记录超过2000条，无法写成一份报告。请选择起止日期，分期起草。",
        "There are more than 2000 records, too many for one report. Choose a period, and draft several.",
    )


class ComplianceRefused(Exception):
    """A rule of compliance refused the step."""

    def __init__(self, rule: ComplianceRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


class ComplianceItemNotFound(Exception):
    """No such case, report or search that the caller may see."""


def require_auditor(actor: Member) -> None:
    """Raises `ComplianceRefused` unless the actor may read the log of their court."""
    if Role.AUDIT_ADMINISTRATOR not in actor.roles:
        raise ComplianceRefused(ComplianceRule.AUDITOR_ONLY)


def require_releaser(actor: Member) -> None:
    """Raises `ComplianceRefused` unless the actor may be the second person of a report."""
    if not actor.roles & REVIEWER_ROLES:
        raise ComplianceRefused(ComplianceRule.RELEASE_ROLE)


def require_statistics_reader(actor: Member) -> None:
    """Raises `ComplianceRefused` unless the actor may see statistics."""
    if not actor.roles & FIGURES:
        raise ComplianceRefused(ComplianceRule.FIGURES_ONLY)
