"""
Search and export of the audit log over HTTP, for the auditors of a court.

Every call is itself recorded before the log is read.  Identifiers stand in bodies only, and personal values are in an
answer only if the call gives a reason.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import StreamingResponse

from audit.export.formats import ExportFormat, serialize
from audit.format.event import EventType
from audit.store.log import Log
from audit.store.search import Query as SearchQuery
from audit.store.search import search, search_all
from gateway.api.audit_models import PAGE, ExportRequest, Moment, RecordedEvents, SearchRequest, page_of
from gateway.api.dependencies import Auditor, TheHub, json_body
from gateway.api.problems import documented
from gateway.audit_access import AuditAccess
from gateway.sign_on import Caller
from schemas.codes import AnswerState

router = APIRouter(prefix="/v1/audit", tags=["audit"])

EXPORT_PAGE = 500
BLOCK = 64 * 1024

READING = ("not-signed-in", "sign-on-unavailable", "not-permitted", "invalid-input", "audit-unavailable", "internal")
WITH_BODY = (*READING, "body-too-large", "wrong-content-type", "busy")


@router.get("/events", operation_id="list_events", responses=documented(*READING))
async def list_events(
    caller: Auditor,
    hub: TheHub,
    since: Annotated[Moment | None, Query(description="from this moment on")] = None,
    until: Annotated[Moment | None, Query(description="before this moment")] = None,
    agency: Annotated[str | None, Query(pattern="^[a-z_]{1,64}$", description="an agency that was asked")] = None,
    state: Annotated[AnswerState | None, Query(description="an agency answered so")] = None,
    kind: Annotated[EventType | None, Query(alias="type", description="this type of record only")] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62, description="only records below this index")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> RecordedEvents:
    """
    The records of the caller's own court, newest first.  The search itself is recorded first.
    """
    query = SearchQuery(
        court=caller.court,
        since=since,
        until=until,
        agency=agency,
        state=state,
        types=tuple(EventType) if kind is None else (kind,),
        before=before,
        limit=limit,
    )
    return await _page(caller, hub.log, AuditAccess(query=query))


@router.post(
    "/search", operation_id="search_events", dependencies=[Depends(json_body)], responses=documented(*WITH_BODY)
)
async def search_events(body: SearchRequest, caller: Auditor, hub: TheHub) -> RecordedEvents:
    """
    Searches the records of the caller's own court by all criteria, persons and cases included.
    """
    return await _page(caller, hub.log, body.access(caller.court))


@router.post(
    "/exports",
    operation_id="export_events",
    dependencies=[Depends(json_body)],
    response_class=Response,
    responses={
        200: {
            "description": "the file as a stream; it ends early if the log becomes unreadable meanwhile",
            "content": {out_format.media_type: {"schema": {"type": "string"}} for out_format in ExportFormat},
        },
        **documented(*WITH_BODY),
    },
)
async def export_events(body: ExportRequest, caller: Auditor, hub: TheHub) -> StreamingResponse:
    """
    Exports every hit that the newest checkpoint covers into one file.
    """
    access = body.access(caller.court)
    await _recorded(caller, hub.log, access)
    pieces = await asyncio.to_thread(_export, hub.log, access)
    return StreamingResponse(
        pieces,
        media_type=body.format.media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="audit.{body.format.value}"',
        },
    )


async def _recorded(caller: Caller, log: Log, access: AuditAccess) -> int:
    now = datetime.now(UTC)
    return await log.append(access.event(caller.actor(), now), payloads=access.payloads(now))


async def _page(caller: Caller, log: Log, access: AuditAccess) -> RecordedEvents:
    # The log before this search: its own record is not part of its answer.
    size = await _recorded(caller, log, access)
    page = await asyncio.to_thread(search, log.reader, replace(access.query, below=size))
    return page_of(page, people=access.shows_people)


def _export(log: Log, access: AuditAccess) -> Iterator[str]:
    """The file in blocks.  The first page is read before this returns, so that a failure is still a problem."""
    head = log.reader.head()
    pages = search_all(log.reader, replace(access.query, below=head.signed_size, limit=EXPORT_PAGE), head)
    hits = (hit for page in chain((next(pages),), pages) for hit in page.hits)
    assert access.out_format is not None  # noqa: S101 - an export names its format
    return _blocks(serialize(access.out_format, hits, people=access.shows_people))


def _blocks(pieces: Iterator[str]) -> Iterator[str]:
    # Each block is a hop between threads, too expensive for single lines.
    gathered: list[str] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield "".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield "".join(gathered)
