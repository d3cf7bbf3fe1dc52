"""
Lookups over HTTP: ask the agencies about a party, and read a stored result.
"""

from uuid import UUID

from fastapi import APIRouter, Depends, Response
from starlette.background import BackgroundTask

from gateway.access.snapshot import AccessLease
from gateway.api.dependencies import Signed, TheHub, json_body
from gateway.api.problems import documented
from gateway.lookup.service import ReleasedResult
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
    Asks every agency that can answer, and answers with the whole result, partial where an agency did not answer.
    """
    return _answer(await hub.lookups.look_up(caller, request))


@router.get(
    "/{lookup_id}",
    operation_id="read_lookup",
    response_model=LookupResult,
    responses=documented(*COMMON, "not-permitted", "not-found", "invalid-input", "internal"),
)
async def read_lookup(lookup_id: UUID, caller: Signed, hub: TheHub) -> Response:
    """
    The stored result of a lookup, for the holder of its open work order; no agency is asked again.
    """
    return _answer(await hub.lookups.read(caller, lookup_id))


def _answer(released: ReleasedResult) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(released.body, 200, headers, "application/json", release_after_sending(released.lease))


def release_after_sending(*leases: AccessLease) -> BackgroundTask:
    """Releases leases once the response has been sent, or at the latest a moment later, also if sending fails."""
    for lease in leases:
        lease.release_after_sending()

    # A plain function would run in a thread.
    async def release() -> None:
        for lease in leases:
            lease.release()

    return BackgroundTask(release)
