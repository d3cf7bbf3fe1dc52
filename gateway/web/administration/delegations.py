"""
Delegations inside a group: who does the work orders of whom, from which day to which.
"""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.hub import Hub
from gateway.organization.people import MAX_USER_LENGTH, USER_ID
from gateway.web.administration.common import (
    Done,
    DoneNotice,
    DoneRecord,
    GroupLeader,
    after,
    navigation,
    shown_in_form,
)
from gateway.web.console.common import acting
from gateway.web.page import OwnPage
from schemas.china_time import day_end, day_start

router = APIRouter(prefix="/administration/deputies", include_in_schema=False)

PATH: Final = "/administration/deputies"
User = Annotated[str, Form(pattern=USER_ID, max_length=MAX_USER_LENGTH)]


@router.get("")
async def delegations(page: GroupLeader, hub: TheHub, done: DoneNotice = None, record: DoneRecord = None) -> Response:
    """The delegations in the leader's group, and its members."""
    return await _delegations(page, hub, done=done, record=record)


async def _delegations(page: OwnPage, hub: Hub, *, status: int = 200, **values: Any) -> Response:
    _, people = await hub.organization.export(below=page.member.position.id)
    names = {person.user: person.name for person in people if person.active}
    return page.show(
        "administration/delegations.html",
        status=status,
        navigation=navigation(page),
        arranged=await hub.delegations.list_for(page.member),
        names=names,
        people=list(names.items()),
        **{"typed": {}, **values},
    )


@router.post("")
async def arrange(
    page: GroupLeader,
    hub: TheHub,
    absent: User,
    deputy: User,
    since: Annotated[date, Form()],
    until: Annotated[date, Form()],
) -> Response:
    """Lets one person stand in for another, on whole days of the court."""

    async def again(problem: dict[str, Any], status: int) -> Response:
        typed = {"absent": absent, "deputy": deputy, "since": since, "until": until}
        return await _delegations(page, hub, status=status, problem=problem, typed=typed)

    with shown_in_form(page, again):
        _, record = await hub.delegations.create(
            page.member, acting(page), absent=absent, deputy=deputy, starts_at=day_start(since), ends_at=day_end(until)
        )
    return after(PATH, Done.ARRANGED, record)


@router.post("/end")
async def end(page: GroupLeader, hub: TheHub, delegation: Annotated[UUID, Form()]) -> Response:
    """Ends one now."""
    if not await hub.delegations.end(page.member, acting(page), delegation):
        raise Problem("not-found")
    return after(PATH, Done.ENDED)
