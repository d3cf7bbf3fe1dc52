"""
Work orders over HTTP: the ticket system states each version of them.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import StringConstraints, TypeAdapter

from gateway.access.audit_events import work_order_changed
from gateway.access.break_glass import PREFIX
from gateway.access.catalogue import EMERGENCY, Kind
from gateway.access.emergency_rules import EmergencyRule
from gateway.access.work_orders import VersionConflict, party_identifier
from gateway.api.dependencies import Signed, TheHub, json_body, ndjson_body
from gateway.api.middleware import MAX_BODY
from gateway.api.ndjson import OPENAPI_ANSWER, OPENAPI_BODY, Batch
from gateway.api.problems import InputError, Problem, documented
from gateway.api.validation_errors import identifier_error
from gateway.hub import Hub
from gateway.sign_on import Caller
from schemas.identifiers import Identifier, IdentifierError
from schemas.identifiers.case_number import parse_case_number
from schemas.work_order import WORK_ORDER_ID, WorkOrderReceipt, WorkOrderStatement

router = APIRouter(prefix="/v1/work-orders", tags=["work orders"])

SCOPE = "work-orders:write"

_RECEIPT: Final = TypeAdapter(WorkOrderReceipt)


class WorkOrderLine(WorkOrderStatement):
    """A statement with the number of its work order, as one line of a batch."""

    id: Annotated[str, StringConstraints(pattern=WORK_ORDER_ID)]

    def statement(self) -> WorkOrderStatement:
        """The statement as `PUT /v1/work-orders/{id}` takes it."""
        return WorkOrderStatement.model_validate(self.model_dump(exclude={"id"}))


@router.put(
    "/{work_order}",
    operation_id="state_work_order",
    dependencies=[Depends(json_body)],
    responses=documented(
        "not-signed-in",
        "not-permitted",
        "version-conflict",
        "body-too-large",
        "wrong-content-type",
        "invalid-input",
        "audit-unavailable",
        "database-unavailable",
        "sign-on-unavailable",
        "busy",
        "internal",
    ),
)
async def state_work_order(
    work_order: Annotated[str, Path(pattern=WORK_ORDER_ID)], statement: WorkOrderStatement, caller: Signed, hub: TheHub
) -> WorkOrderReceipt:
    """
    States a work order at a version.  Repeating the same statement is harmless; a lower version is refused.

    A new version grants nothing before its change stands in the audit log.
    """
    require_scope(caller)
    return await take(hub, caller, work_order, statement)


@router.post(
    "/batches",
    operation_id="state_work_orders",
    dependencies=[Depends(ndjson_body)],
    response_class=Response,
    openapi_extra=OPENAPI_BODY,
    responses={
        200: OPENAPI_ANSWER,
        **documented(
            "not-signed-in",
            "not-permitted",
            "body-too-large",
            "wrong-content-type",
            "sign-on-unavailable",
            "busy",
            "internal",
        ),
    },
)
async def state_work_orders(request: Request, caller: Signed, hub: TheHub) -> Response:
    """
    States up to 10,000 work orders, a JSON object in each line: the body of `PUT /v1/work-orders/{id}` with its `id`.

    Answers come in the order of the lines, each with its `id`.  A line that could not be taken changed nothing;
    repeating the whole batch is harmless.  Statements of one work order keep their order.  A line or a body that is
    too large ends the batch with a last line; the lines before it stand.
    """
    require_scope(caller)

    async def answer(line: WorkOrderLine) -> dict[str, Any]:
        members: dict[str, Any] = _RECEIPT.dump_python(await take(hub, caller, line.id, line.statement()), mode="json")
        return members

    batch = Batch(WorkOrderLine, answer, key=lambda line: line.id, echo=lambda line: {"id": line.id}, max_line=MAX_BODY)
    return batch.respond(request)


async def take(hub: Hub, caller: Caller, work_order: str, statement: WorkOrderStatement) -> WorkOrderReceipt:
    """
    Takes one statement of a ticket system that has the scope.  Raises `Problem`, `AuditUnavailable`,
    `DatabaseUnavailable`.
    """
    _require_own_court(caller, statement)
    _require_a_task(work_order, statement)
    kind = hub.authorizer.catalogue.kind(statement.court, statement.kind)
    parties = _checked(statement, kind)
    assert kind is not None  # noqa: S101 - an unknown kind has just been refused
    now = datetime.now(UTC)
    try:
        fresh = await hub.work_orders.put(work_order, statement, parties, kind, now, caller.client)
    except VersionConflict as conflict:
        current = conflict.current
        fresh = None
    if fresh is None:
        raise Problem("version-conflict", current=current)
    audit = None
    if fresh:
        audit = await hub.log.append(
            work_order_changed(uuid4(), now, caller, work_order, statement, parties, hub.authorizer.policy)
        )
        await hub.work_orders.mark_recorded(statement.court, work_order, statement.version)
    return WorkOrderReceipt(
        id=work_order,
        court=statement.court,
        version=statement.version,
        status=statement.status,
        audit=audit,
        replayed=not fresh,
    )


def require_scope(caller: Caller) -> None:
    """Raises `Problem` unless the caller is a ticket system."""
    if SCOPE not in caller.scopes:
        raise Problem(
            "not-permitted",
            rule="scope_missing",
            en=f"Only a ticket system with the scope {SCOPE} states work orders. "
            "Ask the sign-on administrator to give this client the scope.",
            zh=f"只有具备 {SCOPE} 权限的工单系统可以推送工单。请联系统一登录管理员为该客户端授权。",
        )


def _require_own_court(caller: Caller, statement: WorkOrderStatement) -> None:
    if statement.court != caller.court:
        raise Problem(
            "not-permitted",
            rule="other_court",
            en="The work order names another court than this client's. State it with that court's own client.",
            zh="工单所属法院与该客户端不一致。请使用该法院自己的客户端推送。",
        )


def _require_a_task(work_order: str, statement: WorkOrderStatement) -> None:
    # An emergency is stated by a person, and so is its end.
    if statement.kind == EMERGENCY or work_order.upper().startswith(PREFIX):
        raise Problem.from_rule(EmergencyRule.BY_PEOPLE_ONLY)


def _checked(statement: WorkOrderStatement, kind: Kind | None) -> list[Identifier]:
    """The parties' identifiers, every broken one reported at once; case number and kind must be known to the hub."""
    errors: list[InputError] = []
    if kind is None:
        errors.append(
            InputError(
                field="kind",
                rule="unknown_kind",
                detail="The catalogue has no such kind of work order. `shuniu access kinds` lists them; "
                "the operator of the hub adds a new one.",
            )
        )
    parties: list[Identifier] = []
    for position, party in enumerate(statement.parties):
        try:
            parties.append(party_identifier(party))
        except IdentifierError as error:
            errors.append(identifier_error(f"parties.{position}.id_number", error))
    try:
        parse_case_number(statement.case_number)
    except IdentifierError as error:
        errors.append(identifier_error("case_number", error))
    if errors:
        raise Problem("invalid-input", errors=errors)
    return parties
