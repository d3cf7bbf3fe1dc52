"""
Accepting a request: whether it can be one, and its rows, all in the transaction of whoever asks.

Also the other side: what becomes of the requests of a work order that changes, in the very transaction that changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adapters.contract import Adapter
from gateway.access.catalogue import Catalogue
from gateway.access.snapshot import GrantedWorkOrder
from gateway.access.work_orders import WorkOrders
from gateway.autofill import endings, store
from gateway.autofill.idempotency import Key, found, remember
from gateway.autofill.states import FormEnding, RequestState
from gateway.autofill.templates import FormTemplate, FormTemplates
from gateway.callbacks.outbox import Outbox
from gateway.callbacks.receivers import named
from schemas.codes import Code, Want
from schemas.work_order import PartyStatement, WorkOrderStatement, WorkOrderStatus

LONGEST: Final = timedelta(days=30)

# A work order grants nothing before it is in the audit log, which follows its transaction.
NOT_BEFORE: Final = timedelta(seconds=0.2)


class AcceptRule(Code):
    """Why a request is not accepted."""

    UNKNOWN_WORK_ORDER = (
        "work_order_unknown",
        "本院没有此编号的工单。请核对编号，或先推送该工单。",
        "Your court has no work order of this number. Check it, or state the work order first.",
    )
    NOT_OPEN = (
        "work_order_not_open",
        "工单已办结或中止，不再填写表单。确需填写的，由工单系统重开工单。",
        "The work order is closed or suspended, so no form is filled. If the task goes on, have it reopened in the "
        "ticket system.",
    )
    UNKNOWN_TEMPLATE = (
        "unknown_template",
        "没有适用于此类工单的该名称表单。`shuniu forms show` 列出全部表单及其适用的工单种类。",
        "There is no form of this name for this kind of work order. `shuniu forms show` lists the forms and the kinds "
        "that each is made for.",
    )
    UNKNOWN_PARTY = (
        "unknown_party",
        "工单没有此序号的当事人。当事人按其在工单中的次序从 1 起编号。",
        "The work order has no party of this number. Parties are numbered from 1 in the order of the work order.",
    )
    DEADLINE_PAST = (
        "deadline_out_of_range",
        "期限须晚于现在，且不超过 30 日。请更改期限，或不填。",
        "The deadline lies in the past, or more than 30 days ahead. Change it, or leave it out.",
    )
    UNKNOWN_RECEIVER = (
        "receiver_unknown",
        "该客户端没有此名称的回调接收方。请核对名称，或请本院系统管理员登记。",
        "This client has no receiver of this name. Check the name, or ask the system administrator of your court to "
        "register it.",
    )


class RequestRejected(Exception):
    """A rule refuses the request; `field` is the member that breaks it."""

    def __init__(self, rule: AcceptRule, field: str) -> None:
        super().__init__(f"not accepted by rule {rule.value}")
        self.rule = rule
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRequest:
    """
    What a client asks for.  `parties` are numbered from 1, empty: all; `receiver` None: the client's preferred one, if
    it has one.
    """

    court: str
    client: str
    work_order: str
    template: str | None = None
    parties: tuple[int, ...] = ()
    deadline: datetime | None = None
    receiver: str | None = None


class Intake:
    """
    Enters requests and ends them.  Every method is a part of the caller's transaction.
    """

    def __init__(
        self,
        *,
        work_orders: WorkOrders,
        catalogue: Catalogue,
        forms: FormTemplates,
        agencies: Mapping[str, Adapter],
        outbox: Outbox,
    ) -> None:
        self._work_orders = work_orders
        self._catalogue = catalogue
        self._forms = forms
        self._agencies = agencies
        self._outbox = outbox

    def accept(self, connection: Connection, wish: FormRequest, key: Key | None, at: datetime) -> tuple[UUID, bool]:
        """
        Enters a request; its id, and whether the key had made it before.

        Raises `RequestRejected`; `KeyInUse` for a key whose first request is under way, `KeyReused` for another body.
        """
        if key is not None and (before := found(connection, key)) is not None:
            return before, True
        order = _order(connection, wish.court, wish.work_order)
        if order is None:
            raise RequestRejected(AcceptRule.UNKNOWN_WORK_ORDER, "work_order")
        if not order.status.open:
            raise RequestRejected(AcceptRule.NOT_OPEN, "work_order")
        form = self._forms.for_kind(order.kind, wish.template)
        if form is None:
            raise RequestRejected(AcceptRule.UNKNOWN_TEMPLATE, "template")
        statement = self._work_orders.document(order)
        places = tuple(number - 1 for number in dict.fromkeys(wish.parties)) or tuple(range(len(statement.parties)))
        if not all(0 <= place < len(statement.parties) for place in places):
            raise RequestRejected(AcceptRule.UNKNOWN_PARTY, "parties")
        deadline = wish.deadline or at + form.lasts
        if not at < deadline <= at + LONGEST:
            raise RequestRejected(AcceptRule.DEADLINE_PAST, "deadline")
        receiver = named(connection, court=wish.court, client=wish.client, name=wish.receiver)
        if receiver is None and wish.receiver is not None:
            raise RequestRejected(AcceptRule.UNKNOWN_RECEIVER, "callback")
        request = uuid4()
        row = {
            "id": request,
            "court": wish.court,
            "work_order": wish.work_order,
            "version": order.version,
            "client": wish.client,
            "template": form.id,
            "parties": list(places),
            "receiver": None if receiver is None else receiver.name,
            "state": RequestState.READY.value if order.recorded else RequestState.DELAYED.value,
            "deadline": deadline,
            "next_at": None if order.recorded else at + NOT_BEFORE,
            "at": at,
        }
        store.insert(connection, row, self._questions(statement, places, form, wish.court))
        if key is not None:
            remember(connection, key, request, at)
        return request, False

    def changed(
        self, connection: Connection, work_order: str, statement: WorkOrderStatement, client: str, at: datetime
    ) -> None:
        """
        A work order stands at a new version: what was asked at an older one ends with this transaction, and a kind
        that says so has its form filled without being asked.
        """
        court = statement.court
        before = endings.open_of_order(connection, court, work_order, statement.version)
        if before:
            # What is being sent at this moment has its ending told by its sender.
            sent = set(self._outbox.cancel(connection, court=court, subjects=[str(one) for one in before], at=at))
            ended = [one for one in before if str(one) not in sent]
            endings.cancel(connection, ended, _ENDINGS.get(statement.status, FormEnding.WORK_ORDER_CHANGED), at)
        kind = self._catalogue.kind(court, statement.kind)
        if kind is not None and kind.autofill and statement.status.open and client:
            wish = FormRequest(court=court, client=client, work_order=work_order, template=kind.autofill)
            self.accept(connection, wish, None, at)

    def _questions(
        self, statement: WorkOrderStatement, places: Sequence[int], form: FormTemplate, court: str
    ) -> list[tuple[int, str, str]]:
        kind = self._catalogue.kind(court, statement.kind)
        granted = form.wants & kind.scopes.keys() if kind is not None else frozenset[Want]()
        wants = granted if statement.want is None else granted & frozenset(statement.want)
        return [
            (place, agency, capability)
            for place in places
            for agency, capability in self._concerning(statement.parties[place], wants)
        ]

    def _concerning(self, party: PartyStatement, wants: frozenset[Want]) -> list[tuple[str, str]]:
        return [
            (agency, name)
            for agency, adapter in self._agencies.items()
            for name, capability in adapter.capabilities.items()
            if capability.subject is party.kind and not wants.isdisjoint(capability.serves)
        ]


_ENDINGS: Final = {
    WorkOrderStatus.CLOSED: FormEnding.WORK_ORDER_CLOSED,
    WorkOrderStatus.SUSPENDED: FormEnding.WORK_ORDER_SUSPENDED,
    WorkOrderStatus.TRANSFERRED: FormEnding.WORK_ORDER_TRANSFERRED,
}

# Shared, so that nobody closes the work order between this look and the commit.
_ORDER: Final = text("""
    SELECT court, id, version, status, kind, case_number, holder, recorded, document FROM work_order
    WHERE court = :court AND id = :id FOR SHARE
""")


def _order(connection: Connection, court: str, work_order: str) -> GrantedWorkOrder | None:
    row = connection.execute(_ORDER, {"court": court, "id": work_order}).one_or_none()
    if row is None:
        return None
    return GrantedWorkOrder(
        court=row.court,
        id=row.id,
        version=row.version,
        status=WorkOrderStatus(row.status),
        kind=row.kind,
        case_number=row.case_number,
        holder=row.holder,
        recorded=row.recorded,
        document=bytes(row.document),
    )
