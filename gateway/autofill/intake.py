"""
The intake of form requests: checks a request and inserts its rows, inside the caller's transaction.

It also ends the requests of a work order that changes, inside the transaction that changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from adapters.contract import Adapter
from gateway.access.catalogue import Catalogue
from gateway.access.snapshot import WORK_ORDER_COLUMNS, GrantedWorkOrder
from gateway.access.work_orders import WorkOrders
from gateway.autofill import endings, store
from gateway.autofill.idempotency import Key, find, remember
from gateway.autofill.states import FormEnding, RequestState
from gateway.autofill.templates import FormTemplate, FormTemplates
from gateway.callbacks.outbox import Outbox
from gateway.callbacks.receivers import named
from schemas.codes import Code, Want
from schemas.work_order import PartyStatement, WorkOrderStatement, WorkOrderStatus

MAX_DURATION: Final = timedelta(days=30)

# A work order grants nothing before its audit record is durable, which follows its transaction.
FIRST_RUN_DELAY: Final = timedelta(seconds=0.2)


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
    """A rule rejects the request; `field` is the member that breaks it."""

    def __init__(self, rule: AcceptRule, field: str) -> None:
        super().__init__(f"not accepted by rule {rule.value}")
        self.rule = rule
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRequest:
    """
    A client's request for a form.  `parties` are numbered from 1, and none means all; without a `receiver` the client's
    preferred one is taken, if it has one.
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
    Inserts and ends requests.  Every method runs inside the caller's transaction.
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

    def accept(
        self, connection: Connection, form_request: FormRequest, key: Key | None, at: datetime
    ) -> tuple[UUID, bool]:
        """
        Inserts a request; returns its id, and whether this is the replay of an earlier request with the same key.

        Raises `RequestRejected`; `KeyInUse` while the first request with this key is in progress, `KeyReused` for
        another body.
        """
        if key is not None and (earlier := find(connection, key)) is not None:
            return earlier, True
        order = _order(connection, form_request.court, form_request.work_order)
        if order is None:
            raise RequestRejected(AcceptRule.UNKNOWN_WORK_ORDER, "work_order")
        if not order.status.open:
            raise RequestRejected(AcceptRule.NOT_OPEN, "work_order")
        form = self._forms.for_kind(order.kind, form_request.template)
        if form is None:
            raise RequestRejected(AcceptRule.UNKNOWN_TEMPLATE, "template")
        statement = self._work_orders.document(order)
        places = tuple(number - 1 for number in dict.fromkeys(form_request.parties)) or tuple(
            range(len(statement.parties))
        )
        if not all(0 <= place < len(statement.parties) for place in places):
            raise RequestRejected(AcceptRule.UNKNOWN_PARTY, "parties")
        deadline = form_request.deadline or at + form.lasts
        if not at < deadline <= at + MAX_DURATION:
            raise RequestRejected(AcceptRule.DEADLINE_PAST, "deadline")
        receiver = named(connection, court=form_request.court, client=form_request.client, name=form_request.receiver)
        if receiver is None and form_request.receiver is not None:
            raise RequestRejected(AcceptRule.UNKNOWN_RECEIVER, "callback")
        request = uuid4()
        row = {
            "id": request,
            "court": form_request.court,
            "work_order": form_request.work_order,
            "version": order.version,
            "client": form_request.client,
            "template": form.id,
            "parties": list(places),
            "receiver": None if receiver is None else receiver.name,
            "state": RequestState.READY.value if order.recorded else RequestState.DELAYED.value,
            "deadline": deadline,
            "next_at": None if order.recorded else at + FIRST_RUN_DELAY,
            "at": at,
        }
        store.insert(connection, row, self._questions(statement, places, form, form_request.court))
        if key is not None:
            remember(connection, key, request, at)
        return request, False

    def changed(
        self, connection: Connection, work_order: str, statement: WorkOrderStatement, client: str, at: datetime
    ) -> None:
        """
        Handles a new version of a work order: cancels the requests of older versions, and inserts one if the kind of
        work order has an automatic form.
        """
        court = statement.court
        outdated = endings.open_of_order(connection, court, work_order, statement.version)
        if outdated:
            # The dispatcher of callbacks ends a request whose delivery is in progress.
            subjects = [str(request) for request in outdated]
            delivering = set(self._outbox.cancel(connection, court=court, subjects=subjects, at=at))
            cancelled = [request for request in outdated if str(request) not in delivering]
            endings.cancel(connection, cancelled, _ENDINGS.get(statement.status, FormEnding.WORK_ORDER_CHANGED), at)
        kind = self._catalogue.kind(court, statement.kind)
        if kind is not None and kind.autofill and statement.status.open and client:
            form_request = FormRequest(court=court, client=client, work_order=work_order, template=kind.autofill)
            self.accept(connection, form_request, None, at)

    def _questions(
        self, statement: WorkOrderStatement, places: Sequence[int], form: FormTemplate, court: str
    ) -> list[tuple[int, str, str]]:
        kind = self._catalogue.kind(court, statement.kind)
        granted = form.wants & kind.scopes.keys() if kind is not None else frozenset[Want]()
        wants = granted if statement.want is None else granted & frozenset(statement.want)
        return [
            (place, agency, capability)
            for place in places
            for agency, capability in self._capabilities(statement.parties[place], wants)
        ]

    def _capabilities(self, party: PartyStatement, wants: frozenset[Want]) -> list[tuple[str, str]]:
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

# A share lock: the work order cannot be closed between this statement and the commit.
_ORDER: Final = text(
    f"SELECT {WORK_ORDER_COLUMNS} FROM work_order w WHERE w.court = :court AND w.id = :id FOR SHARE"  # noqa: S608
)


def _order(connection: Connection, court: str, work_order: str) -> GrantedWorkOrder | None:
    row = connection.execute(_ORDER, {"court": court, "id": work_order}).one_or_none()
    return None if row is None else GrantedWorkOrder.from_row(row)
