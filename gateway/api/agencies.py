"""
The capability matrix, generated from the adapters' declarations, and how things stand with each capability.
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
    """How things stand with one capability, as the process sees it that answers.  Times are UTC."""

    breaker: BreakerState = Field(description="open: it failed repeatedly, and is given a rest")
    ask_again_at: datetime | None = Field(description="not asked before; None: it may be asked now")
    closed_because: Reason | None = Field(description="why it is not asked, where that is not the breaker")
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
    drift: int = Field(description="leaves of its answers that nobody agreed on, since this process started")


class CapabilityView(BaseModel):
    """One lookup that an agency offers.  `family` and `standing` are None where this court is not connected to it."""

    name: str
    subject: str
    by: list[str]
    serves: list[str]
    family: str | None
    summary: str
    standing: StandingView | None


class CertificateView(BaseModel):
    """Until when the certificates of one file serve: `roots`, which the agency's must lead to, or `identity`, ours."""

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
    Which agency offers which lookup, for whom and by which identifiers, and how things stand with it just now.
    """
    now = datetime.now(UTC)
    standings = {(one.agency, one.capability): standing_view(one, now) for one in hub.guards.states()}
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
            CertificateView(file=one.file, expires_at=one.expires_at) for one in agencies.expiries.get(name, ())
        ],
        capabilities=[
            CapabilityView(
                name=capability.name,
                subject=capability.subject.value,
                by=[one.value for one in capability.by],
                serves=sorted(one.value for one in capability.serves),
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
    """A guard's state as it is shown; `now` is aware."""
    rested_at = None if state.opens_again_in is None else now + timedelta(seconds=state.opens_again_in)
    waits = [moment for moment in (state.closed_until, rested_at) if moment is not None and moment > now]
    return StandingView(
        breaker=state.breaker,
        ask_again_at=max(waits, default=None),
        closed_because=state.closed_because,
        in_flight=state.in_flight,
        in_flight_limit=state.in_flight_limit,
        waiting=state.waiting,
        waiting_limit=state.waiting_limit,
        retries_left=int(state.budget_left),
        minute_left=state.minute_left,
        day_left=state.day_left,
        last_good_at=state.last_good_at,
        last_at=state.last_at,
        last_state=state.last_state,
        last_reason=state.last_reason,
        drift=state.drift,
    )
