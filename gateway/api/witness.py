"""
This court as a witness (C2SP tlog-witness): cosigns neighbours' checkpoints, and shows them to monitors.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from audit.anchor.witness import SIZE_TYPE, TEXT, WitnessAnswer
from gateway.anchors.witness_endpoint import BodyTooLarge, WitnessBusy
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem, documented

router = APIRouter(prefix="/witness", tags=["witness"])

_PLAIN: dict[str, Any] = {"content": {TEXT: {"schema": {"type": "string"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "the cosignature line", **_PLAIN},
    400: {"description": "no request of this protocol, or the old size is above the new one", **_PLAIN},
    403: {"description": "no signature of a key that is known for this log", **_PLAIN},
    404: {"description": "this log is not witnessed here", **_PLAIN},
    409: {
        "description": "the old size is not the one that was cosigned last; the body is that size",
        "content": {SIZE_TYPE: {"schema": {"type": "string"}}},
    },
    422: {"description": "not consistent with what was cosigned before", **_PLAIN},
}
_FOUND: dict[int | str, dict[str, Any]] = {200: {"description": "the checkpoint", **_PLAIN}}
_BODY = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.post(
    "/add-checkpoint",
    operation_id="add_checkpoint",
    response_class=Response,
    responses=_ANSWERS | documented("body-too-large", "busy", "audit-unavailable"),
    openapi_extra=_BODY,
)
async def add_checkpoint(request: Request, hub: TheHub) -> Response:
    """Cosigns a neighbour's checkpoint if it continues everything that was cosigned of that log before."""
    try:
        return _response(await hub.witness_endpoint.add_checkpoint(request.stream()))
    except WitnessBusy:
        problem = Problem("busy", retry_after=1)
    except BodyTooLarge:
        problem = Problem("body-too-large", headers={"Connection": "close"})
    raise problem


@router.get(
    "/{digest}/checkpoint",
    operation_id="read_witnessed",
    response_class=Response,
    responses=_FOUND | documented("not-found", "invalid-input", "audit-unavailable"),
)
async def witnessed(
    hub: TheHub, digest: Annotated[str, Path(description="SHA-256 of the log's origin, in hexadecimal")]
) -> Response:
    """The last checkpoint of a neighbour's log that was cosigned here, with both signatures."""
    note = await hub.witness_endpoint.monitored(digest)
    if note is None:
        raise Problem("not-found")
    return Response(note, headers={"Content-Type": TEXT, "Cache-Control": "public, max-age=60"})


def _response(answer: WitnessAnswer) -> Response:
    # Given as a header, since Starlette would add a charset to the protocol's own type.
    return Response(answer.body, answer.status, headers={"Content-Type": answer.content_type})
