"""
A stored answer on a page of its own, and what its reader does with it: see a number in full, take an address.

Every opening is a disclosure like the first: judged again, recorded first, and nothing is kept by the browser.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.access.snapshot import AccessLease
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.hub import Hub
from gateway.lookup.disclosure import (
    NUMBERS,
    NothingToDisclose,
    Purpose,
    RevealReason,
    number,
    reading,
    revealing,
    using,
)
from gateway.lookup.history import PastLookup, UsedAddress
from gateway.lookup.service import LookupNotFound, ReleasedResult, Withheld
from gateway.sign_on import Caller
from gateway.web.clerk.cards import Cards
from gateway.web.clerk.result_view import ResultView, result_view
from gateway.web.clerk.work_order_view import WorkOrderView, get_work_order_view, party_index, withheld_problem
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import Own, OwnPage
from schemas.lookup import LookupResult, load

router = APIRouter(include_in_schema=False)

TEMPLATE: Final = "clerk/result.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedResult:
    """A stored answer that may leave while its lease is held; `record` is the index of the record that says so."""

    task: WorkOrderView
    past_lookup: PastLookup
    result: LookupResult = field(repr=False)
    lease: AccessLease
    record: int

    def respond(self, response: HTMLResponse) -> Response:
        """The response, after which the lease goes back."""
        self.lease.release_after_sending()
        response.background = BackgroundTask(_give_back, self.lease)
        return response


async def disclose(hub: Hub, page: OwnPage, lookup: UUID, purpose: Purpose = reading) -> DisclosedResult:
    """
    Opens a stored answer for the reader.  Raises `Problem`, `AuditUnavailable`, `DatabaseUnavailable`.
    """
    made = await hub.lookup_history.get(page.caller.court, lookup)
    if made is None:
        raise Problem("not-found")
    task = await _task(hub, page, made)
    released = await _released(hub.lookups.read, page, lookup, purpose)
    assert released.record is not None  # noqa: S101 - a stored answer is opened on record
    result = load(released.body)
    return DisclosedResult(task=task, past_lookup=made, result=result, lease=released.lease, record=released.record)


@router.get("/lookups/{lookup}")
async def show_result(page: Own, hub: TheHub, lookup: UUID) -> Response:
    """The stored answer; no agency is asked."""
    found = await disclose(hub, page, lookup)
    answer = result_view(Cards(hub.agencies), found.result, found.past_lookup.used)
    return found.respond(page.show(TEMPLATE, task=found.task, made=found.past_lookup, answer=answer))


@router.post("/lookups/{lookup}/reveal")
async def reveal(
    page: Own,
    hub: TheHub,
    lookup: UUID,
    name: Annotated[str, Form(alias="field", max_length=64)],
    reason: Annotated[RevealReason | None, Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """One number in full, once, for a reason that stands in the log before the number is shown."""
    if name not in NUMBERS:
        raise Problem("not-found")
    values: dict[str, Any] = {"lookup": lookup, "key": name, "reason": reason, "note": note.strip()}
    if reason is None or (reason is RevealReason.OTHER and not values["note"]):
        return _told(page, "reveal_asked", values | {"wrong": True}, status=422)
    found = await disclose(hub, page, lookup, revealing(name, reason, note.strip() or None))
    shown = number(found.result, name)
    return found.respond(_told(page, "revealed", values | {"shown": shown, "record": found.record}))


@router.get("/lookups/{lookup}/reveal")
async def ask_to_reveal(
    page: Own, hub: TheHub, lookup: UUID, name: Annotated[str, Query(alias="field", max_length=64)]
) -> Response:
    """The question why."""
    made = await hub.lookup_history.get(page.caller.court, lookup)
    if made is None or name not in NUMBERS:
        raise Problem("not-found")
    await _task(hub, page, made)
    return _told(page, "reveal_asked", {"lookup": lookup, "key": name, "reason": None, "note": ""})


@router.post("/lookups/{lookup}/use")
async def use(page: Own, hub: TheHub, lookup: UUID, place: Annotated[int, Form(ge=1, le=1000)]) -> Response:
    """Takes one address for service; which one stands in the log."""
    found = await disclose(hub, page, lookup, using(place))
    await hub.lookup_history.set_used_address(lookup, place, found.record)
    if not page.in_part:
        found.lease.release()
        return RedirectResponse(f"/lookups/{lookup}#addresses", 303, headers=PAGE_HEADERS)
    again = await hub.lookup_history.get(page.caller.court, lookup)
    used: UsedAddress | None = None if again is None else again.used
    answer: ResultView = result_view(Cards(hub.agencies), found.result, used)
    return found.respond(page.part("clerk/answer.html", "addresses", task=found.task, answer=answer))


def _told(page: OwnPage, block: str, values: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """The block alone for a script, else on a page of its own."""
    values = {"reasons": tuple(RevealReason), "shown": None, "record": None, "wrong": False} | values
    if page.in_part:
        return page.part("clerk/reveal.html", block, status=status, **values)
    return page.show("clerk/reveal.html", status=status, revealed=block == "revealed", **values)


async def _task(hub: Hub, page: OwnPage, made: PastLookup) -> WorkOrderView:
    task = await get_work_order_view(hub, page, made.work_order)
    marks = [party_index(hub, party) for party in task.parties]
    if made.party not in marks:
        # The work order does not name this party any more, so nothing of the answer is shown.
        raise Problem("not-found")
    return WorkOrderView(item=task.item, kind=task.kind, number=marks.index(made.party) + 1)


async def _released(
    read: Callable[[Caller, UUID, Purpose], Awaitable[ReleasedResult]], page: OwnPage, lookup: UUID, purpose: Purpose
) -> ReleasedResult:
    try:
        return await read(page.caller, lookup, purpose)
    except (LookupNotFound, NothingToDisclose):
        problem = Problem("not-found")
    except Withheld as error:
        problem = withheld_problem(error)
    raise problem


async def _give_back(lease: AccessLease) -> None:
    # A plain function would be run in a thread.
    lease.release()
