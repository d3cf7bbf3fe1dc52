"""
The audit log over HTTP in the formats of public tools: checkpoint, tiles, proofs.
"""

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from audit.anchor.anchors import Anchors
from audit.errors import AuditUnavailable
from audit.format.proof import Proof
from audit.format.tiles import Tile, exists
from gateway.api.dependencies import TheHub, auditor
from gateway.api.problems import Problem, documented

router = APIRouter(tags=["audit"])

IMMUTABLE = "private, max-age=31536000, immutable"


@router.get("/audit/checkpoint", operation_id="read_checkpoint", response_class=Response)
@router.get("/v1/audit/checkpoint", operation_id="read_checkpoint_v1", response_class=Response)
async def checkpoint(hub: TheHub) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint); public, since it has no personal data."""
    size, note = hub.log.checkpoint_size, hub.log.checkpoint
    with contextlib.suppress(AuditUnavailable):
        # Without its cosignatures a checkpoint is valid as well.
        note = await asyncio.to_thread(Anchors(hub.log.reader).cosigned, note, size)
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=1"})


@router.get(
    "/audit/checkpoint/cosigned",
    operation_id="read_cosigned_checkpoint",
    response_class=Response,
    responses=documented("not-found", "audit-unavailable"),
)
async def cosigned_checkpoint(hub: TheHub) -> Response:
    """The newest checkpoint that a witness has cosigned, with all cosignatures; a little older than the newest."""
    note = await asyncio.to_thread(Anchors(hub.log.reader).newest_cosigned)
    if note is None:
        raise Problem("not-found")
    return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=60"})


@router.get(
    "/audit/{path:path}",
    operation_id="read_tile",
    dependencies=[Depends(auditor)],
    response_class=Response,
    responses=documented(
        "not-signed-in", "sign-on-unavailable", "not-permitted", "not-found", "invalid-input", "audit-unavailable"
    ),
)
async def tile(
    hub: TheHub, path: Annotated[str, Path(description="tile/<level>/<n> or tile/entries/<n>, C2SP")]
) -> Response:
    """A hash tile or an entry bundle of the signed log, for auditors; never changes once it is there."""
    try:
        parsed = Tile.parse(path)
    except ValueError:
        parsed = None
    if parsed is None or not exists(parsed, hub.log.checkpoint_size):
        raise Problem("not-found")
    content = await asyncio.to_thread(hub.log.reader.tile, parsed)
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})


@router.get(
    "/v1/audit/proof/{index}",
    operation_id="read_proof",
    dependencies=[Depends(auditor)],
    response_class=Response,
    responses=documented(
        "not-signed-in", "sign-on-unavailable", "not-permitted", "not-found", "invalid-input", "audit-unavailable"
    ),
)
async def proof(hub: TheHub, index: Annotated[int, Path(ge=0, le=2**62)]) -> Response:
    """The offline proof that a record is in the log (C2SP tlog-proof); check it with `shuniu audit check-proof`."""
    size, note = hub.log.checkpoint_size, hub.log.checkpoint
    if index >= size:
        raise Problem("not-found")
    hashes = await asyncio.to_thread(hub.log.reader.inclusion, index, size)
    return Response(Proof(index, tuple(hashes), note).encode(), media_type="text/plain; charset=utf-8")
