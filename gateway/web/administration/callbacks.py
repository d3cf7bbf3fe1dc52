"""
Callbacks: receivers, and the dead letters that the system administrator takes up again.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from gateway.api.callers import TheHub
from gateway.callbacks.deliveries import Choice
from gateway.callbacks.rules import DeliveryState, ReceiverState
from gateway.web.administration.parts import SystemAdministrator, beside, told
from gateway.web.console.reading import acting
from gateway.web.headers import PAGE_HEADERS

router = APIRouter(prefix="/administration/callbacks", include_in_schema=False)

PATH: Final = "/administration/callbacks"
MOST: Final = 100
Name = Annotated[str, Form(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Client = Annotated[str, Form(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


@router.get("")
async def callbacks(page: SystemAdministrator, hub: TheHub) -> Response:
    """The receivers of the court, what waits, and what was given up."""
    court = page.member.court
    found = {
        state: await hub.callbacks.deliveries.found(Choice(court=court, state=state), most=MOST)
        for state in (DeliveryState.WAITING, DeliveryState.DEAD_LETTERED)
    }
    return page.show(
        "administration/callbacks.html",
        beside=beside(page),
        receivers=await hub.callbacks.receivers.all(court),
        waiting=found[DeliveryState.WAITING],
        dead=found[DeliveryState.DEAD_LETTERED],
        most=MOST,
    )


@router.post("/state")
async def set_state(
    page: SystemAdministrator, hub: TheHub, client: Client, name: Name, state: Annotated[ReceiverState, Form()]
) -> Response:
    """Pauses a receiver, or resumes it."""
    chosen = ReceiverState.PAUSED if state is ReceiverState.PAUSED else ReceiverState.ACTIVE
    with told():
        await hub.callbacks.receivers.set_state(page.member, acting(page), chosen, client=client, name=name)
    hub.callbacks.sender.wake()
    return RedirectResponse(PATH, 303, headers=PAGE_HEADERS)


@router.post("/resend")
async def resend(page: SystemAdministrator, hub: TheHub, receiver: Name) -> Response:
    """Takes the dead letters of a receiver up again; each one's right is asked for anew before it leaves."""
    choice = Choice(court=page.member.court, receiver=receiver)
    with told():
        await hub.callbacks.deliveries.resend(page.member, acting(page), choice)
    hub.callbacks.sender.wake()
    return RedirectResponse(PATH, 303, headers=PAGE_HEADERS)
