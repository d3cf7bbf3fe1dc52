"""
Health, as everybody expects it.  Readiness never depends on an agency.
"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.api.callers import TheHub
from gateway.api.problems import documented

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That the process lives, or that it can record and answer."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", operation_id="alive")
async def alive() -> Health:
    """The process lives."""
    return Health()


@router.get("/readyz", operation_id="ready", responses=documented("database-unavailable", "audit-unavailable"))
async def ready(hub: TheHub) -> Health:
    """The database answers and the audit log can be appended to."""
    await hub.database.check()
    await hub.log.check()
    return Health()
