"""
The audit log over HTTP: what is recorded at a court, for its auditors, and the newest signed checkpoint.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from audit.event import Event, EventType, Who
from audit.log import Log
from audit.proof import Proof
from audit.tiles import Tile, exists
from gateway.api.callers import Signed, TheHub
from gateway.api.problems import Problem, documented
from gateway.sign_on import Caller

router = APIRouter(tags=["audit"])

AUDITOR = "auditor"
PAGE = 200
IMMUTABLE = "private, max-age=31536000, immutable"


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
    _only_auditors(caller)
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


@router.get(
    "/audit/{path:path}",
    operation_id="read_tile",
    response_class=Response,
    responses=documented(
        "not-signed-in", "sign-on-unavailable", "not-permitted", "not-found", "invalid-input", "audit-unavailable"
    ),
)
async def tile(
    caller: Signed, hub: TheHub, path: Annotated[str, Path(description="tile/<level>/<n> or tile/entries/<n>, C2SP")]
) -> Response:
    """A hash tile or an entry bundle of the signed log, for auditors; never changes once it is there."""
    _only_auditors(caller)
    try:
        wanted = Tile.parse(path)
    except ValueError:
        wanted = None
    if wanted is None or not exists(wanted, hub.log.checkpoint_size):
        raise Problem("not-found")
    content = await asyncio.to_thread(hub.log.reader.tile, wanted)
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})


@router.get(
    "/v1/audit/proof/{index}",
    operation_id="read_proof",
    response_class=Response,
    responses=documented(
        "not-signed-in", "sign-on-unavailable", "not-permitted", "not-found", "invalid-input", "audit-unavailable"
    ),
)
async def proof(caller: Signed, hub: TheHub, index: Annotated[int, Path(ge=0, le=2**62)]) -> Response:
    """The offline proof that a record is in the log (C2SP tlog-proof); check it with `shuniu audit check-proof`."""
    _only_auditors(caller)
    size, note = hub.log.checkpoint_size, hub.log.checkpoint
    if index >= size:
        raise Problem("not-found")
    hashes = await asyncio.to_thread(hub.log.reader.inclusion, index, size)
    return Response(Proof(index, tuple(hashes), note).encode(), media_type="text/plain; charset=utf-8")


def _only_auditors(caller: Caller) -> None:
    if AUDITOR not in caller.roles:
        raise Problem(
            "not-permitted",
            rule="role_missing",
            en="Only an auditor reads the audit log. Ask the audit administrator of your court.",
            zh="只有审计人员可以查阅审计日志。请联系本院审计管理员。",
        )


def _searched(caller: Caller) -> Event:
    who = Who(user=caller.user, name=caller.name, client=caller.client, court=caller.court, unit=caller.unit)
    return Event(type=EventType.LOG_SEARCHED, exchange=uuid4(), at=datetime.now(UTC), who=who, outcome="answered")


def _rows(log: Log, court: str, before: int, limit: int) -> list[tuple[int, bytes]]:
    query = "SELECT idx, body FROM {schema}.entry WHERE court = %s AND idx < %s ORDER BY idx DESC LIMIT %s"
    return [(row[0], bytes(row[1])) for row in log.reader.rows(query, (court, before, limit))]
