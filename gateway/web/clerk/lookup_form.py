"""
The page of a party: the form of a lookup, and the lookup itself.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import RedirectResponse, Response

from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.autofill.standing import newest
from gateway.hub import Hub
from gateway.lookup.service import Withheld
from gateway.web.clerk.cards import Cards
from gateway.web.clerk.labels import Words
from gateway.web.clerk.streaming import stream_lookup
from gateway.web.clerk.work_order_view import (
    TaskRule,
    WorkOrderView,
    add_to_history,
    get_work_order_view,
    party_index,
    withheld_problem,
)
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import LookedAt, Own
from schemas.codes import Want
from schemas.lookup import load
from schemas.work_order import WORK_ORDER_ID

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Path(pattern=WORK_ORDER_ID)]


@router.get("/work-orders/{work_order}")
async def show_task(
    page: Own, hub: TheHub, work_order: Name, party: Annotated[int, Query(ge=1, le=200)] = 1
) -> Response:
    """The party, the sections that may be asked for, and earlier lookups."""
    task = await get_work_order_view(hub, page, work_order, party)
    return page.show("clerk/task.html", **await _values(hub, task))


@router.get("/work-orders/{work_order}/state")
async def task_state(
    page: LookedAt, hub: TheHub, work_order: Name, version: Annotated[int, Query(ge=1, le=2**53)]
) -> Response:
    """The state of the work order; an open page polls it to notice a change."""
    task = await get_work_order_view(hub, page, work_order)
    return page.part("clerk/frame.html", "order_state", task=task, version=version)


@router.post("/work-orders/{work_order}/lookups")
async def look_up(
    page: Own,
    hub: TheHub,
    work_order: Name,
    party: Annotated[int, Form(ge=1, le=200)],
    version: Annotated[int, Form(ge=1, le=2**53)],
    want: Annotated[list[Want] | None, Form()] = None,
) -> Response:
    """Looks the party up: streamed agency by agency to a script, otherwise as a redirect to the stored result."""
    task = await get_work_order_view(hub, page, work_order, party)
    if task.item.order.version != version:
        raise Problem.from_rule(TaskRule.CHANGED)
    wants = tuple(section for section in Want if section in set(want or ()))
    if not wants:
        values = await _values(hub, task) | {"nothing_chosen": True, "chosen": ()}
        return page.show("clerk/task.html", status=422, **values)
    if page.in_part and "text/event-stream" in page.request.headers.get("accept", ""):
        return stream_lookup(hub, page, task, wants)
    try:
        released = await hub.lookups.look_up(page.caller, task.request(wants))
    except Withheld as error:
        problem = withheld_problem(error)
    else:
        # The redirect carries nothing of the answer; reading it is a release of its own.
        released.lease.release()
        lookup = load(released.body).id
        await add_to_history(hub, page, task, lookup)
        return RedirectResponse(f"/lookups/{lookup}", 303, headers=PAGE_HEADERS)
    raise problem


async def _values(hub: Hub, task: WorkOrderView) -> dict[str, Any]:
    index = party_index(hub, task.party)
    history = await hub.lookup_history.list_for_work_order(task.item.order.court, task.id)
    return {
        "task": task,
        "past_lookups": [lookup for lookup in history if lookup.party == index],
        "chosen": task.wants,
        "nothing_chosen": False,
        "names": _agency_names(hub, task),
        "filling": await hub.database.run(newest, task.item.order.court, task.id),
    }


def _agency_names(hub: Hub, task: WorkOrderView) -> list[Words]:
    """The names of the agencies that a lookup of this party asks."""
    cards = Cards(hub.agencies)
    return [
        cards.agency_name(agency)
        for agency, adapter in hub.agencies.items()
        if any(
            capability.subject is task.party.kind and capability.serves & frozenset(task.wants)
            for capability in adapter.capabilities.values()
        )
    ]
