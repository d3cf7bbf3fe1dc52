"""
The audit events of work orders.
"""

from datetime import datetime
from uuid import UUID

from audit.format.event import Event, EventType, PurposeOfUse
from gateway.access.snapshot import PURPOSE
from gateway.sign_on import Caller
from schemas.identifiers import Identifier
from schemas.subject import Subject
from schemas.work_order import WorkOrderStatement


def work_order_changed(
    exchange: UUID,
    at: datetime,
    caller: Caller,
    name: str,
    statement: WorkOrderStatement,
    parties: list[Identifier],
    policy: str,
    exception: str = "",
) -> Event:
    """
    A new version of a work order.  `exception` flags one that no ticket system stated.
    """
    return Event(
        type=EventType.WORK_ORDER_CHANGED,
        exchange=exchange,
        at=at,
        who=caller.actor(),
        whose=tuple(
            Subject(kind=party.kind, id_type=identifier.id_type, id_number=identifier.canonical_value, name=party.name)
            for party, identifier in zip(statement.parties, parties, strict=True)
        ),
        why=PurposeOfUse(
            work_order=name,
            version=statement.version,
            kind=statement.kind,
            case_number=statement.case_number,
            purpose=PURPOSE,
            policy=policy,
            decision="permit",
        ),
        outcome=statement.status.value,
        detail={"parties": len(parties), **({"exception": exception} if exception else {})},
    )
