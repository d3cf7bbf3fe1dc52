"""
Lookups over HTTP: ask about a party, and read a stored answer again.
"""

from uuid import UUID

from fastapi import APIRouter, Depends, Response
from starlette.background import BackgroundTask

from gateway.access.snapshot import AccessLease
from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.problems import Problem, documented
from gateway.lookup.service import LookupNotFound, ReleasedResult, Withheld
from schemas.lookup import LookupRequest, LookupResult

PATH = "/v1/lookups"

router = APIRouter(prefix=PATH, tags=["lookups"])

COMMON = ("not-signed-in", "sign-on-unavailable", "audit-unavailable", "database-unavailable", "draining")


@router.post(
    "",
    operation_id="look_up",
    dependencies=[Depends(json_body)],
    response_model=LookupResult,
    responses=documented(
        *COMMON, "not-permitted", "body-too-large", "wrong-content-type", "invalid-input", "busy", "internal"
    ),
)
async def look_up(request: LookupRequest, caller: Signed, hub: TheHub) -> Response:
    """
    Asks every agency that can answer, and answers with the whole result, partial where an agency was not heard.
    """
    try:
        return _answer(await hub.lookups.look_up(caller, request))
    except Withheld as error:
        problem = Problem("not-permitted", en=error.rule.en, zh=error.rule.zh, rule=error.rule.value, audit=error.audit)
    raise problem


@router.get(
    "/{lookup_id}",
    operation_id="read_lookup",
    response_model=LookupResult,
    responses=documented(*COMMON, "not-permitted", "not-found", "invalid-input", "internal"),
)
async def read_lookup(lookup_id: UUID, caller: Signed, hub: TheHub) -> Response:
    """
    The stored record of a lookup, for who holds its open work order; no agency is asked again.
    """
    try:
        return _answer(await hub.lookups.read(caller, lookup_id))
    except LookupNotFound:
        problem = Problem("not-found")
    except Withheld as error:
        problem = Problem("not-permitted", en=error.rule.en, zh=error.rule.zh, rule=error.rule.value, audit=error.audit)
    raise problem


def _answer(released: ReleasedResult) -> Response:
    # The lease goes back once the answer is with the network; at the latest a moment later, whatever becomes of it.
    released.lease.release_after_sending()
    return Response(
        released.body,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(_give_back, released.lease),
    )


async def _give_back(lease: AccessLease) -> None:
    # A plain function would be run in a thread.
    lease.release()
