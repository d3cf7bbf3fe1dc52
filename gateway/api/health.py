"""
Health endpoints.  Readiness depends neither on an agency nor on an anchor of the log.
"""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from audit.store.orphans import Orphans
from gateway.anchors.service import AnchorReport
from gateway.api.dependencies import TheHub
from gateway.api.problems import documented
from gateway.hub import Hub

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class OrphanHealth(BaseModel):
    """Intents without an outcome: `open` for more than five minutes (null: unknown), and closed ones of all time."""

    open: int | None
    closed: int


class AnchorHealth(BaseModel):
    """One anchor: the newest checkpoint that it covers, its age, and whether a record has waited too long for it."""

    kind: str
    name: str
    size: int | None
    age_s: float | None
    late: bool
    unparsed: int | None = Field(default=None, description="newest size whose evidence only another tool can judge")
    failures: int = Field(description="failed attempts of this process since it started")
    last_error: str | None


class AuditHealth(BaseModel):
    """The state of the audit log.  `broken` is the reason why signing has stopped."""

    size: int
    checkpoint_size: int
    checkpoint_age_s: float
    broken: str | None
    orphans: OrphanHealth
    anchors: list[AnchorHealth]


class Readiness(Health):
    """The hub can record and answer; with the state of its audit log."""

    audit: AuditHealth


@router.get("/healthz", operation_id="alive")
async def alive() -> Health:
    """The process is alive."""
    return Health()


@router.get(
    "/readyz",
    operation_id="ready",
    responses=documented("database-unavailable", "audit-unavailable", "draining"),
)
async def ready(hub: TheHub) -> Readiness:
    """The database answers and the audit log can be appended to.  A late anchor is shown, and does not count."""
    await hub.database.check()
    return Readiness(audit=await _audit(hub))


async def _audit(hub: Hub) -> AuditHealth:
    log = hub.log
    head = await asyncio.to_thread(log.reader.head)
    reports = await hub.anchoring.report()
    closed = await asyncio.to_thread(Orphans(log.reader).closed)
    return AuditHealth(
        size=head.size,
        checkpoint_size=log.checkpoint_size,
        checkpoint_age_s=round(log.signer.age, 1),
        broken=None if log.signer.broken is None else str(log.signer.broken),
        orphans=OrphanHealth(open=hub.anchoring.open_orphans, closed=closed),
        anchors=[_anchor(report) for report in reports],
    )


def _anchor(report: AnchorReport) -> AnchorHealth:
    return AnchorHealth(
        kind=report.status.kind.value,
        name=report.status.name,
        size=report.status.size,
        age_s=report.age_s,
        late=report.late,
        unparsed=report.status.unparsed,
        failures=report.failures,
        last_error=report.last_error,
    )
