"""
A task as a page shows it: a work order in the reader's hands, and one of its parties.
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
    """A rule of these pages."""

    CHANGED = (
        "work_order_changed",
        "该工单在您打开页面后有变更，当事人顺序可能不同。请重新打开工单后再操作。",
        "The work order was changed since this page was opened, and its parties may be in another order. "
        "Open the work order again.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderView:
    """A work order in the reader's hands, and the party that is looked at: its number counts from 1."""

    item: WorklistItem
    kind: Kind | None
    number: int

    @property
    def id(self) -> str:
        """The work order."""
        return self.item.order.id

    @property
    def open(self) -> bool:
        """Whether it may grant anything; the decision itself is made elsewhere, with every question."""
        return self.item.order.status.open

    @property
    def party(self) -> PartyStatement:
        """Whom it is about."""
        return self.item.statement.parties[self.number - 1]

    @property
    def parties(self) -> tuple[PartyStatement, ...]:
        """Everybody whom the work order names."""
        return self.item.statement.parties

    @property
    def shown_number(self) -> str:
        """The party's identifier as a page may hold it."""
        return Mask.ENDS.apply(self.party.id_number)

    @property
    def wants(self) -> tuple[Want, ...]:
        """What may be asked: what the kind grants, as far as the work order wants it."""
        granted = set() if self.kind is None else set(self.kind.scopes)
        wanted = self.item.statement.want
        return tuple(want for want in Want if want in granted and (wanted is None or want in wanted))

    def request(self, wants: tuple[Want, ...]) -> LookupRequest:
        """The question about this party.  Its name is the work order's, and so is not stated."""
        party = self.party
        subject = SubjectStatement(
            kind=party.kind, id_type=party.id_type, id_number=party.id_number, country=party.country
        )
        return LookupRequest(work_order=self.id, subject=subject, want=wants)


async def get_work_order_view(hub: Hub, page: OwnPage, work_order: str, number: int = 1) -> WorkOrderView:
    """The task as it stands now.  Raises `Problem`: not the reader's, or no such party."""
    page.require(*ON_CASES)
    held = await hub.worklist.get(page.caller.court, page.caller.user, work_order)
    if held is None or not 1 <= number <= len(held.statement.parties):
        raise Problem("not-found")
    return WorkOrderView(
        item=held, kind=hub.authorizer.catalogue.kind(held.order.court, held.order.kind), number=number
    )


def party_index(hub: Hub, party: PartyStatement) -> bytes:
    """The mark by which a party's lookups are found again."""
    return hub.work_orders.party_index(party_identifier(party))


def withheld_problem(error: Withheld) -> Problem:
    """The refusal of a lookup, which stands in the log already."""
    return Problem("not-permitted", en=error.rule.en, zh=error.rule.zh, rule=error.rule.value, audit=error.audit)


async def add_to_history(hub: Hub, page: OwnPage, task: WorkOrderView, lookup: UUID) -> None:
    """Lets the lookup be found again from its work order."""
    caller, mark = page.caller, party_index(hub, task.party)
    await hub.lookup_history.add(lookup, court=caller.court, work_order=task.id, party=mark, user=caller.user)
