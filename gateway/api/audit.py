"""
The audit log over HTTP: what is recorded at a court, for its auditors, and the newest signed checkpoint.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from audit.event import Event, EventType, Who
from audit.log import Log
from gateway.api.callers import Signed, TheHub
from gateway.api.problems import Problem, documented
from gateway.sign_on import Caller

router = APIRouter(tags=["audit"])

AUDITOR = "auditor"
PAGE = 200


class RecordedEvent(BaseModel):
    """One record: its place in the log and its leaf, which holds nothing personal."""

    index: int
    event: dict[str, Any]


class RecordedEvents(BaseModel):
    """A page of records, newest first; `next` continues it."""

    events: list[RecordedEvent]
    next: int | None


@router.get(
    "/v1/audit/events",
    operation_id="list_events",
    responses=documented(
        "not-signed-in", "sign-on-unavailable", "not-permitted", "invalid-input", "audit-unavailable", "internal"
    ),
)
async def list_events(
    caller: Signed,
    hub: TheHub,
    before: Annotated[int | None, Query(ge=0, le=2**62, description="only records below this index")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> RecordedEvents:
    """
    The records of the caller's own court, newest first.  Reading them is recorded first.
    """
    if AUDITOR not in caller.roles:
        raise Problem(
            "not-permitted",
            rule="role_missing",
            en="Only an auditor reads the audit log. Ask the audit administrator of your court.",
            zh="只有审计人员可以查阅审计日志。请联系本院审计管理员。",
        )
    await hub.log.append(_searched(caller))
    rows = await asyncio.to_thread(_rows, hub.log, caller.court, 2**62 if before is None else before, limit)
    events = [RecordedEvent(index=index, event=json.loads(body)) for index, body in rows]
    return RecordedEvents(events=events, next=events[-1].index if len(events) == limit else None)


@router.get("/audit/checkpoint", operation_id="read_checkpoint", response_class=Response)
@router.get("/v1/audit/checkpoint", operation_id="read_checkpoint_v1", response_class=Response)
async def checkpoint(hub: TheHub) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint); open to everybody, since it names nobody."""
    return Response(
        hub.log.checkpoint, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=1"}
    )


def _searched(caller: Caller) -> Event:
    who = Who(user=caller.user, name=caller.name, client=caller.client, court=caller.court, unit=caller.unit)
    return Event(type=EventType.LOG_SEARCHED, exchange=uuid4(), at=datetime.now(UTC), who=who, outcome="answered")


def _rows(log: Log, court: str, before: int, limit: int) -> list[tuple[int, bytes]]:
    query = "SELECT idx, body FROM {schema}.entry WHERE court = %s AND idx < %s ORDER BY idx DESC LIMIT %s"
    return [(row[0], bytes(row[1])) for row in log.reader.rows(query, (court, before, limit))]
