"""
The capability matrix, generated from the adapters' declarations.
"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.api.callers import Signed, TheHub
from gateway.api.problems import documented

router = APIRouter(prefix="/v1/agencies", tags=["agencies"])


class CapabilityView(BaseModel):
    """One lookup that an agency offers."""

    name: str
    subject: str
    by: list[str]
    serves: list[str]
    family: str
    summary: str


class AgencyView(BaseModel):
    """One agency: facts and lookups."""

    id: str
    names: dict[str, str]
    legal_basis: str
    repeatable: bool
    retention_days: int
    capabilities: list[CapabilityView]


@router.get("", operation_id="list_agencies", responses=documented("not-signed-in", "sign-on-unavailable"))
async def list_agencies(_caller: Signed, hub: TheHub) -> list[AgencyView]:
    """
    Which agency offers which lookup, for whom and by which identifiers.
    """
    return [agency_view(hub.agencies, name) for name in hub.agencies]


def agency_view(agencies: Any, name: str) -> AgencyView:
    """One row of the matrix."""
    adapter = agencies[name]
    facts = adapter.agency
    return AgencyView(
        id=facts.id,
        names=dict(facts.names),
        legal_basis=facts.legal_basis,
        repeatable=facts.repeatable,
        retention_days=facts.retention_days,
        capabilities=[
            CapabilityView(
                name=capability.name,
                subject=capability.subject.value,
                by=[one.value for one in capability.by],
                serves=sorted(one.value for one in capability.serves),
                family=agencies.route(name, capability.name).family,
                summary=capability.summary,
            )
            for capability in adapter.capabilities.values()
        ],
    )
