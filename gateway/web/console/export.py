"""
Export of a search: requires a purpose, is recorded, and yields files that can be verified without the hub.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from audit.export.formats import ExportFormat
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.audit_access import AuditAccess, SearchRevealReason
from gateway.compliance.evidence_bundle import MOST_RECORDS, BundleTooLarge, make_bundle
from gateway.web.console.common import Auditors, acting, speech
from gateway.web.console.events import in_words, named_in_words, private_of
from gateway.web.console.filters import Filtered
from gateway.web.headers import PAGE_HEADERS
from schemas.china_time import day_in_china
from schemas.codes import Code

router = APIRouter(prefix="/console/export", include_in_schema=False)

PATH: Final = "/console/export"


class OutFormat(Code):
    """The formats, as the form offers them."""

    JSONL = "jsonl", "JSON 行（程序读取）", "JSON lines, for programs"
    CSV = "csv", "CSV（Excel 打开）", "CSV, for Excel"


@router.get("")
async def form(page: Auditors, hub: TheHub, filters: Filtered) -> Response:
    """The form: the criteria of the export, and its purpose."""
    filters = filters.on(day_in_china(datetime.now(UTC)))
    private = await private_of(page, hub, filters)
    words = speech(page, hub, people=private.reveal is not None)
    return page.show(
        "console/export.html",
        criteria=[text for _, text in [*in_words(filters, words), *named_in_words(filters, private, words)]],
        action=filters.address(PATH, before=None),
        back=filters.address("/console/events", before=None),
        formats=words.choices(OutFormat),
        reasons=words.choices(SearchRevealReason),
        most=MOST_RECORDS,
    )


@router.post("")
async def write(
    page: Auditors,
    hub: TheHub,
    filters: Filtered,
    reason: Annotated[SearchRevealReason, Form()],
    out_format: Annotated[OutFormat, Form(alias="format")],
    people: Annotated[bool, Form()] = False,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """The bundle as one ZIP file; recorded before the log is read.  Without people unless the box is ticked."""
    filters = filters.on(day_in_china(datetime.now(UTC)))
    private = await private_of(page, hub, filters)
    query = filters.model_copy(update={"before": None}).query(page.member.court, private)
    at = datetime.now(UTC)
    look = AuditAccess(
        query=query,
        reveal=reason if people else None,
        note=note or None,
        out_format=ExportFormat[out_format.name],
    )
    await hub.compliance.recorded_search.record_export(acting(page), look, reason)
    try:
        content = await asyncio.to_thread(make_bundle, hub.log, look, at, reason)
    except BundleTooLarge:
        content = None
    if content is None:
        raise Problem(
            "invalid-input",
            rule="bundle_too_large",
            en=f"These are more than {MOST_RECORDS} records. Choose a shorter period and export several bundles.",
            zh=f"记录超过{MOST_RECORDS}条。请缩短起止日期，分批导出。",
        )
    name = f"audit-{at.strftime('%Y%m%dT%H%M%SZ')}.zip"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/zip", headers=headers)
