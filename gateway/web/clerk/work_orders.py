"""
The list of open work orders that the reader holds, the next to end first.
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

# Days before its end from which a work order is marked as urgent.
PRESSING_DAYS: Final = 3
_BETWEEN: Final = "~"


@router.get("/work-orders")
async def work_orders(
    page: Own,
    hub: TheHub,
    kind: Annotated[str, Query(max_length=64)] = "",
    text: Annotated[str, Query(max_length=64, alias="said")] = "",
    after: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """One page of the filtered list."""
    page.require(*ON_CASES)
    caller = page.caller
    items, following = await hub.worklist.list_open(
        caller.court, caller.user, kind=kind, search=text, after=_parse_cursor(after)
    )
    here = URL("/work-orders").include_query_params(**{k: v for k, v in (("kind", kind), ("said", text)) if v})
    return page.show(
        "clerk/orders.html",
        rows=[_row(hub, item) for item in items],
        kinds=[(kind.id, kind.zh if page.language == "zh" else kind.en) for kind in _kinds(hub, caller.court)],
        kind=kind,
        text=text,
        first=str(here) if after else None,
        next=None if following is None else str(here.include_query_params(after=_cursor_text(following))),
        without_kind=str(here.remove_query_params("kind")),
        without_text=str(here.remove_query_params("said")),
    )


def _row(hub: Hub, item: WorklistItem) -> dict[str, object]:
    left = item.ends_at - datetime.now(UTC)
    return {
        "id": item.order.id,
        "case": item.order.case_number,
        "kind": hub.authorizer.catalogue.kind(item.order.court, item.order.kind),
        "parties": item.statement.parties,
        "ends_at": item.ends_at,
        "pressing": left.days < PRESSING_DAYS,
        "stands_in": item.as_deputy,
    }


def _kinds(hub: Hub, court: str) -> list[Kind]:
    catalogue = hub.authorizer.catalogue
    return [kind for name in catalogue.kinds if (kind := catalogue.kind(court, name)) is not None]


def _cursor_text(cursor: Cursor) -> str:
    return f"{cursor.ends_at.isoformat()}{_BETWEEN}{cursor.id}"


def _parse_cursor(text: str) -> Cursor | None:
    at, between, name = text.partition(_BETWEEN)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Cursor(moment, name) if between and moment.tzinfo is not None else None
