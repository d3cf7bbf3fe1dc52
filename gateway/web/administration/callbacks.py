"""
Callbacks: receivers, and dead letters to resend.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from gateway.api.dependencies import TheHub
from gateway.callbacks.delivery_admin import DeliveryFilter
from gateway.callbacks.states import DeliveryState, Failure, ReceiverState
from gateway.hub import Hub
from gateway.web.administration.common import (
    Done,
    DoneNotice,
    DoneRecord,
    SystemAdministrator,
    after,
    navigation,
    shown_in_form,
)
from gateway.web.console.common import acting
from gateway.web.error_pages import FormPage
from gateway.web.page import OwnPage

router = APIRouter(prefix="/administration/callbacks", include_in_schema=False)

PATH: Final = "/administration/callbacks"
MOST: Final = 100
Name = Annotated[str, Form(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Client = Annotated[str, Form(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


@router.get("")
async def callbacks(
    page: SystemAdministrator, hub: TheHub, done: DoneNotice = None, record: DoneRecord = None
) -> Response:
    """The receivers of the court, and its waiting and dead-lettered deliveries."""
    return await _callbacks(page, hub, done=done, record=record)


async def _callbacks(page: OwnPage, hub: Hub, *, status: int = 200, **values: Any) -> Response:
    court = page.member.court
    deliveries = {
        state: await hub.callbacks.deliveries.found(DeliveryFilter(court=court, state=state), most=MOST)
        for state in (DeliveryState.WAITING, DeliveryState.DEAD_LETTERED)
    }
    return page.show(
        "administration/callbacks.html",
        status=status,
        navigation=navigation(page),
        receivers=await hub.callbacks.receivers.all(court),
        waiting=deliveries[DeliveryState.WAITING],
        dead=deliveries[DeliveryState.DEAD_LETTERED],
        most=MOST,
        failures={failure.value: failure for failure in Failure},
        **values,
    )


@router.post("/state")
async def set_state(
    page: SystemAdministrator, hub: TheHub, client: Client, name: Name, state: Annotated[ReceiverState, Form()]
) -> Response:
    """Pauses a receiver, or resumes it."""
    chosen = ReceiverState.PAUSED if state is ReceiverState.PAUSED else ReceiverState.ACTIVE
    with shown_in_form(page, _again(page, hub)):
        await hub.callbacks.receivers.set_state(page.member, acting(page), chosen, client=client, name=name)
    hub.callbacks.sender.wake()
    return after(PATH, Done.PAUSED if chosen is ReceiverState.PAUSED else Done.RESUMED)


@router.post("/resend")
async def resend(page: SystemAdministrator, hub: TheHub, receiver: Name) -> Response:
    """Resends the dead letters of a receiver; the right to each one is checked again."""
    choice = DeliveryFilter(court=page.member.court, receiver=receiver)
    with shown_in_form(page, _again(page, hub)):
        resent, record = await hub.callbacks.deliveries.resend(page.member, acting(page), choice)
    hub.callbacks.sender.wake()
    return after(PATH, Done.TAKEN_UP if resent else Done.NONE_TAKEN_UP, record)


def _again(page: OwnPage, hub: Hub) -> FormPage:
    async def again(problem: dict[str, Any], status: int) -> Response:
        return await _callbacks(page, hub, status=status, problem=problem)

    return again
