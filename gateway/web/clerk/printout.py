"""
The printed record of a lookup: its result, and a check value that the audit log holds as well.

The audit record of the printing commits to exactly what the paper says, under a salt that stands on the paper alone.
A holder of the paper can compare it with the log, here or offline; without the paper, neither reveals anything.
"""

import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from audit.anchor.paper_checkpoint import fingerprint, in_groups
from audit.format.checkpoint import read_checkpoint
from gateway.api import browser_session
from gateway.api.dependencies import TheHub
from gateway.hub import Hub
from gateway.lookup.disclosure import digest_of, printing
from gateway.web.clerk.cards import Cards
from gateway.web.clerk.result_view import result_view
from gateway.web.clerk.stored_result import DisclosedResult, disclose
from gateway.web.page import Own, OwnPage

router = APIRouter(include_in_schema=False)

SALT_BYTES = 16


@router.get("/lookups/{lookup}/record")
async def print_record(page: Own, hub: TheHub, lookup: UUID) -> Response:
    """The stored result as a document; the printing is on record before the response is sent."""
    salt = secrets.token_bytes(SALT_BYTES)
    disclosed = await disclose(hub, page, lookup, printing(salt))
    try:
        # The checkpoint on the paper covers the record of the printing.
        await hub.log.sign()
        return disclosed.respond(page.show("clerk/record.html", **_values(hub, page, disclosed, salt)))
    except BaseException:
        disclosed.lease.release()
        raise


def _values(hub: Hub, page: OwnPage, disclosed: DisclosedResult, salt: bytes) -> dict[str, Any]:
    digest = digest_of(disclosed.result, salt)
    address = browser_session.own_address(page.request, hub) or ""
    target = f"{address}/verify?record={disclosed.record}&digest={digest}"
    code = segno.make(target, error="m", micro=False)
    return {
        "task": disclosed.task,
        "answer": result_view(Cards(hub.agencies), disclosed.result, disclosed.past_lookup.used),
        "record": disclosed.record,
        "printed_at": datetime.now(UTC),
        "digest": in_groups(bytes.fromhex(digest)),
        "salt": in_groups(salt),
        "checkpoint": read_checkpoint(hub.log.checkpoint),
        "root": in_groups(read_checkpoint(hub.log.checkpoint).root),
        "fingerprint": fingerprint(hub.log.reader.vkey),
        "origin": hub.log.origin,
        # Only black squares: nothing in it comes from a person or an agency.
        "code": Markup(code.svg_inline(omitsize=True, svgclass="code", lineclass=None)),  # noqa: S704
    }
