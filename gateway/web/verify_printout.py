"""
Verification of a printed record, without sign-in: for a judge, a party's lawyer, any holder of the paper.

It shows the unsealed part of the log's record of the printing, and requires the check value on the paper.
"""

import asyncio
import hmac
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Query, UploadFile
from starlette.responses import Response

from audit.format import leaf
from audit.format.event import EventType
from audit.format.note import NoteError
from audit.format.proof import Proof, ProofError, check_proof
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.hub import Hub
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import AnyPage, PageContext

router = APIRouter(include_in_schema=False)

DIGEST: Final = re.compile(r"[0-9a-f]{64}")

README: Final = """\
校验打印记录（无需联网，无需本系统）
  shuniu audit check-proof {n}.tlog-proof {n}.entry --vkey log.vkey
显示 proved 即表示该打印行为已记入审计日志。{n}.entry 中 detail.digest 应与纸面“校验值”一致。
请将 log.vkey 与法院另行公布的公钥指纹核对。

To check a printed record, with no network and no system of ours
  shuniu audit check-proof {n}.tlog-proof {n}.entry --vkey log.vkey
"proved" means that the printing stands in the audit log.  detail.digest in {n}.entry must be the check value on the
paper.  Compare log.vkey with the fingerprint that the court has published elsewhere.
Any tool that knows C2SP tlog-proof and signed-note can check it too.
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """The unsealed part of the log's record of a printing."""

    index: int
    at: datetime
    court: str
    body: bytes = field(repr=False)


@router.get("/verify")
async def verify(
    page: AnyPage,
    hub: TheHub,
    record: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    digest: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Compares a check value with the log, and explains the offline check."""
    printing = await _printed(hub, record, digest) if record is not None and digest else None
    searched = record is not None and bool(digest)
    return _show(page, hub, searched=searched, printing=printing, record=record, digest=_plain(digest))


def _show(page: PageContext, hub: Hub, **values: Any) -> Response:
    nothing: dict[str, Any] = {"searched": False, "printing": None, "record": None, "digest": "", "proved": None}
    return page.show("verify.html", size=hub.log.checkpoint_size, **(nothing | values))


@router.get("/verify/proof")
async def proof(
    hub: TheHub, record: Annotated[int, Query(ge=0, le=2**62)], digest: Annotated[str, Query(max_length=200)]
) -> Response:
    """The proof that the printing is in the log, for an offline check; without personal data."""
    printing = await _printed(hub, record, digest)
    size, note = hub.log.checkpoint_size, hub.log.checkpoint
    if printing is None or record >= size:
        raise Problem("not-found")
    hashes = await asyncio.to_thread(hub.log.reader.inclusion, record, size)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{record}.entry", printing.body)
        archive.writestr(f"{record}.tlog-proof", Proof(record, tuple(hashes), note).encode())
        archive.writestr("log.vkey", f"{hub.log.reader.vkey.encode()}\n")
        archive.writestr("README.txt", README.format(n=record))
    headers = PAGE_HEADERS | {"Content-Disposition": f'attachment; filename="record-{record}.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=headers)


@router.post("/verify")
async def check(
    page: AnyPage, hub: TheHub, entry: Annotated[UploadFile, File()], proof: Annotated[UploadFile, File()]
) -> Response:
    """Checks an uploaded proof against this log's key."""
    body, given = await entry.read(), await proof.read()
    proved: int | None = None
    try:
        read = Proof.parse(given)
        check_proof(read, body, hub.log.origin, [hub.log.reader.vkey])
        proved = read.index
    except (ProofError, NoteError):
        pass
    return _show(page, hub, proved=False if proved is None else proved)


async def _printed(hub: Hub, index: int, digest: str) -> Printed | None:
    if index >= hub.log.checkpoint_size or not DIGEST.fullmatch(_plain(digest)):
        return None
    body = await asyncio.to_thread(hub.log.reader.body, index)
    record = {} if body is None else leaf.read(bytes(body))
    recorded = str(record.get("detail", {}).get("digest", ""))
    known = record.get("type") == EventType.RECORD_PRINTED.value and hmac.compare_digest(recorded, _plain(digest))
    if body is None or not known:
        return None
    at = datetime.fromtimestamp(record["t"] / 1_000_000, UTC)
    return Printed(index, at, str(record.get("who", {}).get("court", "")), bytes(body))


def _plain(digest: str) -> str:
    """A check value without the blanks of a copy from paper."""
    return "".join(digest.split()).lower()
