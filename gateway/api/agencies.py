"""
The capability matrix, generated from the adapters' declarations, and the state of each capability.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, Field

from adapters.registry import Agencies
from gateway.api.dependencies import Signed, TheHub
from gateway.api.problems import documented
from gateway.resilience.status import BreakerState, GuardState
from schemas.codes import AnswerState, Reason

router = APIRouter(prefix="/v1/agencies", tags=["agencies"])


class StandingView(BaseModel):
    """The state of one capability in the answering process.  Times are UTC."""

    breaker: BreakerState = Field(description="open: it failed repeatedly and is not asked for a while")
    ask_again_at: datetime | None = Field(description="not asked before; null: it may be asked now")
    closed_because: Reason | None = Field(description="why it is not asked, other than by the breaker")
    in_flight: int
    in_flight_limit: int
    waiting: int
    waiting_limit: int
    retries_left: int = Field(description="attempts at this agency that may be repeated now")
    minute_left: int | None = Field(description="of the quotas that all processes share; None: none is declared")
    day_left: int | None
    last_good_at: datetime | None
    last_at: datetime | None
    last_state: AnswerState | None
    last_reason: Reason | None
    drift: int = Field(description="unknown elements of its answers, since this process started")


class CapabilityView(BaseModel):
    """One lookup that an agency offers.  `family` and `standing` are null where this court is not connected to it."""

    name: str
    subject: str
    by: list[str]
    serves: list[str]
    family: str | None
    summary: str
    standing: StandingView | None


class CertificateView(BaseModel):
    """The expiry of the certificates of one file: `roots` (trust anchors of the agency) or `identity` (ours)."""

    file: str
    expires_at: datetime


class AgencyView(BaseModel):
    """One agency: facts and lookups."""

    id: str
    names: dict[str, str]
    legal_basis: str
    repeatable: bool
    retention_days: int
    certificates: list[CertificateView]
    capabilities: list[CapabilityView]


@router.get("", operation_id="list_agencies", responses=documented("not-signed-in", "sign-on-unavailable"))
async def list_agencies(_caller: Signed, hub: TheHub) -> list[AgencyView]:
    """
    Which agency offers which lookup, for which subjects and identifiers, and its current state.
    """
    now = datetime.now(UTC)
    standings = {(state.agency, state.capability): standing_view(state, now) for state in hub.guards.states()}
    return [agency_view(hub.agencies, name, standings) for name in hub.agencies]


def agency_view(agencies: Agencies, name: str, standings: Mapping[tuple[str, str], StandingView]) -> AgencyView:
    """One agency of the matrix."""
    adapter = agencies[name]
    facts = adapter.agency
    return AgencyView(
        id=facts.id,
        names=dict(facts.names),
        legal_basis=facts.legal_basis,
        repeatable=facts.repeatable,
        retention_days=facts.retention_days,
        certificates=[
            CertificateView(file=expiry.file, expires_at=expiry.expires_at)
            for expiry in agencies.expiries.get(name, ())
        ],
        capabilities=[
            CapabilityView(
                name=capability.name,
                subject=capability.subject.value,
                by=[id_type.value for id_type in capability.by],
                serves=sorted(want.value for want in capability.serves),
                family=_family(agencies, name, capability.name),
                summary=capability.summary,
                standing=standings.get((name, capability.name)),
            )
            for capability in adapter.capabilities.values()
        ],
    )


def _family(agencies: Agencies, name: str, capability: str) -> str | None:
    route = agencies.route(name, capability)
    return None if route is None else route.family


def standing_view(state: GuardState, now: datetime) -> StandingView:
    """A guard's state as an answer; `now` is aware."""
    rested_at = None if state.opens_again_in is None else now + timedelta(seconds=state.opens_again_in)
    waits = [moment for moment in (state.closed_until, rested_at) if moment is not None and moment > now]
    same = {name: getattr(state, name) for name in StandingView.model_fields.keys() - {"ask_again_at", "retries_left"}}
    return StandingView(ask_again_at=max(waits, default=None), retries_left=int(state.budget_left), **same)
