"""
Where a reader can go: the rooms of the pages, each for the roles that have business there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.compliance.permissions import FIGURES
from gateway.organization.roles import SEPARATED, Role
from schemas.codes import Code

# Whoever is not an administrator works on cases.
ON_CASES: Final = frozenset(Role) - SEPARATED - {Role.REGION_ADMINISTRATOR}
# Whoever looks after a part of the tree, and whoever watches them.
OF_THE_TREE: Final = frozenset(Role) - {Role.ASSISTANT, Role.JUDGE}
AUDIT: Final = frozenset({Role.AUDIT_ADMINISTRATOR})


class Label(Code):
    """The name of a room."""

    WORK_ORDERS = "work_orders", "我的工单", "My work orders"
    AUDIT_LOG = "audit_log", "审计日志", "Audit log"
    REVIEW = "review", "使用核查", "Review"
    REPORTS = "reports", "查询告知", "Reports to persons"
    VERIFY = "verify", "日志校验", "Verification"
    FIGURES = "figures", "统计", "Figures"
    ADMINISTRATION = "administration", "管理", "Administration"


@dataclass(frozen=True, slots=True)
class Room:
    """A first page, and who may enter."""

    label: Label
    address: str
    roles: frozenset[Role]


# In the order in which they are offered; the first that a reader may enter is where they arrive.
ROOMS: Final[tuple[Room, ...]] = (
    Room(Label.WORK_ORDERS, "/work-orders", ON_CASES),
    Room(Label.AUDIT_LOG, "/console/events", AUDIT),
    Room(Label.REVIEW, "/console/review", AUDIT),
    Room(Label.REPORTS, "/console/reports", AUDIT | {Role.CENTRE_ADMINISTRATOR}),
    Room(Label.VERIFY, "/console/verify", AUDIT),
    Room(Label.FIGURES, "/console/figures", FIGURES),
    Room(Label.ADMINISTRATION, "/administration", OF_THE_TREE),
)


def rooms_for(roles: Iterable[Role]) -> tuple[Room, ...]:
    """The rooms that somebody with these roles may enter."""
    own = frozenset(roles)
    return tuple(room for room in ROOMS if room.roles & own)
