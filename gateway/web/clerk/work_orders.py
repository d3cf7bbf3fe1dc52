"""
My work orders: the open ones in the reader's hands, the next to end first.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.datastructures import URL
from starlette.responses import Response

from gateway.access.catalogue import Kind
from gateway.access.worklist import Cursor, WorklistItem
from gateway.api.dependencies import TheHub
from gateway.hub import Hub
from gateway.web.navigation import ON_CASES
from gateway.web.page import Own

router = APIRouter(include_in_schema=False)

# Days before its end from which a work order is pressing.
PRESSING_DAYS: Final = 3
_BETWEEN: Final = "~"


@router.get("/work-orders")
async def work_orders(
    page: Own,
    hub: TheHub,
    kind: Annotated[str, Query(max_length=64)] = "",
    said: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """One page of the list, as the filter in the address says."""
    page.require(*ON_CASES)
    caller = page.caller
    held, following = await hub.worklist.list_open(
        caller.court, caller.user, kind=kind, search=said, after=_place(after)
    )
    here = URL("/work-orders").include_query_params(**{k: v for k, v in (("kind", kind), ("said", said)) if v})
    return page.show(
        "clerk/orders.html",
        rows=[_row(hub, one) for one in held],
        kinds=[(one.id, one.zh if page.language == "zh" else one.en) for one in _kinds(hub, caller.court)],
        kind=kind,
        said=said,
        first=str(here) if after else None,
        next=None if following is None else str(here.include_query_params(after=_spelt(following))),
        without_kind=str(here.remove_query_params("kind")),
        without_said=str(here.remove_query_params("said")),
    )


def _row(hub: Hub, held: WorklistItem) -> dict[str, object]:
    left = held.ends_at - datetime.now(UTC)
    return {
        "id": held.order.id,
        "case": held.order.case_number,
        "kind": hub.authorizer.catalogue.kind(held.order.court, held.order.kind),
        "parties": held.statement.parties,
        "ends_at": held.ends_at,
        "pressing": left.days < PRESSING_DAYS,
        "stands_in": held.as_deputy,
    }


def _kinds(hub: Hub, court: str) -> list[Kind]:
    catalogue = hub.authorizer.catalogue
    return [kind for name in catalogue.kinds if (kind := catalogue.kind(court, name)) is not None]


def _spelt(place: Cursor) -> str:
    return f"{place.ends_at.isoformat()}{_BETWEEN}{place.id}"


def _place(spelt: str) -> Cursor | None:
    at, between, name = spelt.partition(_BETWEEN)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Cursor(moment, name) if between and moment.tzinfo is not None else None
