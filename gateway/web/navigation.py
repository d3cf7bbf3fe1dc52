"""
Navigation: the sections of the pages, each with the roles that may enter it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.compliance.permissions import FIGURES
from gateway.organization.roles import SEPARATED, Role
from schemas.codes import Code

# All but administrators work on cases.
ON_CASES: Final = frozenset(Role) - SEPARATED - {Role.REGION_ADMINISTRATOR}
# Administrators of a part of the tree, and its auditors.
OF_THE_TREE: Final = frozenset(Role) - {Role.ASSISTANT, Role.JUDGE}
AUDIT: Final = frozenset({Role.AUDIT_ADMINISTRATOR})


class Label(Code):
    """The name of a section."""

    WORK_ORDERS = "work_orders", "我的工单", "My work orders"
    AUDIT_LOG = "audit_log", "审计日志", "Audit log"
    REVIEW = "review", "使用核查", "Review"
    REPORTS = "reports", "查询告知", "Reports to persons"
    VERIFY = "verify", "日志校验", "Verification"
    FIGURES = "figures", "统计", "Figures"
    ADMINISTRATION = "administration", "管理", "Administration"


@dataclass(frozen=True, slots=True)
class Section:
    """A first page, and the roles that may enter."""

    label: Label
    address: str
    roles: frozenset[Role]


# In the order in which they are offered; the first that a reader may enter is where they arrive.
SECTIONS: Final[tuple[Section, ...]] = (
    Section(Label.WORK_ORDERS, "/work-orders", ON_CASES),
    Section(Label.AUDIT_LOG, "/console/events", AUDIT),
    Section(Label.REVIEW, "/console/review", AUDIT),
    Section(Label.REPORTS, "/console/reports", AUDIT | {Role.CENTRE_ADMINISTRATOR}),
    Section(Label.VERIFY, "/console/verify", AUDIT),
    Section(Label.FIGURES, "/console/figures", FIGURES),
    Section(Label.ADMINISTRATION, "/administration", OF_THE_TREE),
)


def sections_for(roles: Iterable[Role]) -> tuple[Section, ...]:
    """The sections that these roles may enter."""
    own = frozenset(roles)
    return tuple(section for section in SECTIONS if section.roles & own)
