"""
The view of a work order that the reader holds, with one of its parties.
"""

from dataclasses import dataclass
from uuid import UUID

from gateway.access.catalogue import Kind, Mask
from gateway.access.work_orders import party_identifier
from gateway.access.worklist import WorklistItem
from gateway.api.problems import Problem
from gateway.hub import Hub
from gateway.lookup.service import Withheld
from gateway.web.navigation import ON_CASES
from gateway.web.page import OwnPage
from schemas.codes import Code, Want
from schemas.lookup import LookupRequest, SubjectStatement
from schemas.work_order import PartyStatement


class TaskRule(Code):
    """The rules of these pages."""

    CHANGED = (
        "work_order_changed",
        "该工单在您打开页面后有变更，当事人顺序可能不同。请重新打开工单后再操作。",
        "The work order was changed since this page was opened, and its parties may be in another order. "
        "Open the work order again.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderView:
    """A work order that the reader holds, and one of its parties; `number` counts from 1."""

    item: WorklistItem
    kind: Kind | None
    number: int

    @property
    def id(self) -> str:
        """The number of the work order."""
        return self.item.order.id

    @property
    def open(self) -> bool:
        """Whether its status grants lookups; access is decided for every question anew."""
        return self.item.order.status.open

    @property
    def party(self) -> PartyStatement:
        """The party."""
        return self.item.statement.parties[self.number - 1]

    @property
    def parties(self) -> tuple[PartyStatement, ...]:
        """All parties of the work order."""
        return self.item.statement.parties

    @property
    def shown_number(self) -> str:
        """The party's identifier, masked."""
        return Mask.ENDS.apply(self.party.id_number)

    @property
    def wants(self) -> tuple[Want, ...]:
        """The sections that the kind grants and the work order wants."""
        granted = set() if self.kind is None else set(self.kind.scopes)
        wanted = self.item.statement.want
        return tuple(want for want in Want if want in granted and (wanted is None or want in wanted))

    def request(self, wants: tuple[Want, ...]) -> LookupRequest:
        """The request for this party, without the name, which the work order states."""
        party = self.party
        subject = SubjectStatement(
            kind=party.kind, id_type=party.id_type, id_number=party.id_number, country=party.country
        )
        return LookupRequest(work_order=self.id, subject=subject, want=wants)


async def get_work_order_view(hub: Hub, page: OwnPage, work_order: str, number: int = 1) -> WorkOrderView:
    """The present view.  Raises `Problem` if the reader does not hold the work order, or there is no such party."""
    page.require(*ON_CASES)
    item = await hub.worklist.get(page.caller.court, page.caller.user, work_order)
    if item is None or not 1 <= number <= len(item.statement.parties):
        raise Problem("not-found")
    return WorkOrderView(
        item=item, kind=hub.authorizer.catalogue.kind(item.order.court, item.order.kind), number=number
    )


def party_index(hub: Hub, party: PartyStatement) -> bytes:
    """The blind index of a party, by which its lookups are found again."""
    return hub.work_orders.party_index(party_identifier(party))


def withheld_problem(error: Withheld) -> Problem:
    """The problem for a refusal, which is in the audit log already."""
    return Problem("not-permitted", en=error.rule.en, zh=error.rule.zh, rule=error.rule.value, audit=error.audit)


async def add_to_history(hub: Hub, page: OwnPage, task: WorkOrderView, lookup: UUID) -> None:
    """Adds a lookup to the history of its work order."""
    caller, index = page.caller, party_index(hub, task.party)
    await hub.lookup_history.add(lookup, court=caller.court, work_order=task.id, party=index, user=caller.user)
