"""
The page of a stored result, and its actions: reveal a number, use an address.

Every reading is a disclosure like the first: the right is checked again, it is recorded first, and browsers store none.
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
    """A stored result that may be sent while its lease is held; `record` is the index of the audit record of it."""

    task: WorkOrderView
    past_lookup: PastLookup
    result: LookupResult = field(repr=False)
    lease: AccessLease
    record: int

    def respond(self, response: HTMLResponse) -> Response:
        """The response; the lease is released once it is sent."""
        self.lease.release_after_sending()
        response.background = BackgroundTask(_release, self.lease)
        return response


async def disclose(hub: Hub, page: OwnPage, lookup: UUID, purpose: Purpose = reading) -> DisclosedResult:
    """
    Discloses a stored result to the reader.  Raises `Problem`, `AuditUnavailable`, `DatabaseUnavailable`.
    """
    past_lookup = await hub.lookup_history.get(page.caller.court, lookup)
    if past_lookup is None:
        raise Problem("not-found")
    task = await _view(hub, page, past_lookup)
    released = await _released(hub.lookups.read, page, lookup, purpose)
    assert released.record is not None  # noqa: S101 - every disclosure is recorded
    result = load(released.body)
    return DisclosedResult(
        task=task, past_lookup=past_lookup, result=result, lease=released.lease, record=released.record
    )


@router.get("/lookups/{lookup}")
async def show_result(page: Own, hub: TheHub, lookup: UUID) -> Response:
    """The stored result; no agency is asked."""
    disclosed = await disclose(hub, page, lookup)
    answer = result_view(Cards(hub.agencies), disclosed.result, disclosed.past_lookup.used)
    return disclosed.respond(page.show(TEMPLATE, task=disclosed.task, past_lookup=disclosed.past_lookup, answer=answer))


@router.post("/lookups/{lookup}/reveal")
async def reveal(
    page: Own,
    hub: TheHub,
    lookup: UUID,
    name: Annotated[str, Form(alias="field", max_length=64)],
    reason: Annotated[RevealReason | None, Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """One number in full, once, for a reason that is recorded first."""
    if name not in NUMBERS:
        raise Problem("not-found")
    values: dict[str, Any] = {"lookup": lookup, "key": name, "reason": reason, "note": note.strip()}
    if reason is None or (reason is RevealReason.OTHER and not values["note"]):
        return _reveal_part(page, "reveal_asked", values | {"wrong": True}, status=422)
    disclosed = await disclose(hub, page, lookup, revealing(name, reason, note.strip() or None))
    shown = number(disclosed.result, name)
    return disclosed.respond(_reveal_part(page, "revealed", values | {"shown": shown, "record": disclosed.record}))


@router.get("/lookups/{lookup}/reveal")
async def ask_to_reveal(
    page: Own, hub: TheHub, lookup: UUID, name: Annotated[str, Query(alias="field", max_length=64)]
) -> Response:
    """The form that asks for the reason."""
    past_lookup = await hub.lookup_history.get(page.caller.court, lookup)
    if past_lookup is None or name not in NUMBERS:
        raise Problem("not-found")
    await _view(hub, page, past_lookup)
    return _reveal_part(page, "reveal_asked", {"lookup": lookup, "key": name, "reason": None, "note": ""})


@router.post("/lookups/{lookup}/use")
async def use(page: Own, hub: TheHub, lookup: UUID, place: Annotated[int, Form(ge=1, le=1000)]) -> Response:
    """Marks one address as used for service, which is recorded."""
    disclosed = await disclose(hub, page, lookup, using(place))
    await hub.lookup_history.set_used_address(lookup, place, disclosed.record)
    if not page.in_part:
        disclosed.lease.release()
        return RedirectResponse(f"/lookups/{lookup}#addresses", 303, headers=PAGE_HEADERS)
    past_lookup = await hub.lookup_history.get(page.caller.court, lookup)
    used: UsedAddress | None = None if past_lookup is None else past_lookup.used
    answer: ResultView = result_view(Cards(hub.agencies), disclosed.result, used)
    return disclosed.respond(page.part("clerk/answer.html", "addresses", task=disclosed.task, answer=answer))


def _reveal_part(page: OwnPage, block: str, values: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """The block alone for a script, otherwise a page of its own."""
    values = {"reasons": tuple(RevealReason), "shown": None, "record": None, "wrong": False} | values
    if page.in_part:
        return page.part("clerk/reveal.html", block, status=status, **values)
    return page.show("clerk/reveal.html", status=status, revealed=block == "revealed", **values)


async def _view(hub: Hub, page: OwnPage, past_lookup: PastLookup) -> WorkOrderView:
    task = await get_work_order_view(hub, page, past_lookup.work_order)
    indexes = [party_index(hub, party) for party in task.parties]
    if past_lookup.party not in indexes:
        # The work order does not name this party any more, so nothing of the result is shown.
        raise Problem("not-found")
    return WorkOrderView(item=task.item, kind=task.kind, number=indexes.index(past_lookup.party) + 1)


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


async def _release(lease: AccessLease) -> None:
    # Starlette would run a plain function in a thread.
    lease.release()
