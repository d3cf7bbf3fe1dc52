"""
`shuniu callbacks`: receivers, deliveries and their states, and resending dead letters.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gateway.callbacks.states import DeliveryState, Failure
from gateway.cli import client
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.folding_table import FoldingTable
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json

callbacks_app = typer.Typer(no_args_is_help=True, help="Callbacks to ticket systems: receivers and deliveries.")

PATH = "/v1/callbacks"

ClientOption = Annotated[str, typer.Option("--client", help="the ticket system")]
ReceiverOption = Annotated[str | None, typer.Option("--receiver", help="only at this receiver")]


@callbacks_app.command("register")
def callbacks_register(
    name: Annotated[str, typer.Argument(help="name of the receiver")],
    url: Annotated[str, typer.Argument(help="its address (https)")],
    client_id: ClientOption,
    *,
    internal: Annotated[bool, typer.Option(help="its host is inside the court's network")] = False,
    preferred: Annotated[bool, typer.Option(help="for requests that name no receiver")] = False,
    hub: HubAddress = DEFAULT_HUB,
) -> None:
    """
    Register a receiver, or change its address.  A new one's secret is printed once.

    Example: shuniu callbacks register forms https://tickets.example/hooks --client ticket-system --preferred
    """
    body = {"client": client_id, "url": url, "internal": internal, "preferred": preferred}
    receiver = client.call(hub, "PUT", f"{PATH}/receivers/{name}", body)
    if receiver["secret"]:
        say.print("The secret, shown this once. Give it to the ticket system over a safe way:", markup=False)
        show.print(receiver["secret"], markup=False)
    else:
        say.print(f"{name} now leads to {receiver['url']}; its secret is as before.", markup=False)


@callbacks_app.command("rotate")
def callbacks_rotate(name: Annotated[str, typer.Argument()], *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Make a new secret for a receiver and print it once; for a day the old one signs beside it.

    Example: shuniu callbacks rotate forms
    """
    show.print(client.call(hub, "POST", f"{PATH}/receivers/{name}/secret")["secret"], markup=False)


@callbacks_app.command("try")
def callbacks_try(name: Annotated[str, typer.Argument()], *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Send a test delivery without personal data.

    Example: shuniu callbacks try forms
    """
    delivery = client.call(hub, "POST", f"{PATH}/receivers/{name}/trial")["delivery"]
    say.print(f"Queued. See its state: shuniu callbacks show {delivery}", markup=False)


@callbacks_app.command("remove")
def callbacks_remove(name: Annotated[str, typer.Argument()], *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Remove a receiver and its secrets; its pending deliveries are given up.

    Example: shuniu callbacks remove forms
    """
    client.call(hub, "DELETE", f"{PATH}/receivers/{name}")
    say.print(f"{name} is removed.", markup=False)


@callbacks_app.command("receivers")
def callbacks_receivers(*, hub: HubAddress = DEFAULT_HUB, json_output: Json = False) -> None:
    """
    List the registered receivers.

    Example: shuniu callbacks receivers
    """
    receivers = client.call(hub, "GET", f"{PATH}/receivers")["receivers"]
    if json_output:
        as_document(receivers)
        return
    _table(receivers, "name", "client", "state", "url", "internal", "preferred")


@callbacks_app.command("list")
def callbacks_list(
    state: Annotated[DeliveryState | None, typer.Option(help="only these")] = None,
    receiver: ReceiverOption = None,
    reason: Annotated[Failure | None, typer.Option(help="only for this reason")] = None,
    most: Annotated[int, typer.Option(min=1, max=500, help="how many")] = 100,
    *,
    hub: HubAddress = DEFAULT_HUB,
    json_output: Json = False,
) -> None:
    """
    List deliveries and their states.

    Example: shuniu callbacks list --state dead_lettered
    """
    filters = {"state": state, "receiver": receiver, "reason": reason, "most": most}
    query = urlencode({name: str(value) for name, value in filters.items() if value is not None})
    deliveries = client.call(hub, "GET", f"{PATH}/deliveries?{query}")["deliveries"]
    if json_output:
        as_document(deliveries)
        return
    _table(deliveries, "id", "receiver", "state", "reason", "attempts", "created_at")


@callbacks_app.command("show")
def callbacks_show(
    delivery: Annotated[str, typer.Argument(help="webhook-id")], *, hub: HubAddress = DEFAULT_HUB
) -> None:
    """
    Show one delivery, without its body.

    Example: shuniu callbacks show trial-2f0c…
    """
    as_document(client.call(hub, "GET", f"{PATH}/deliveries/{delivery}"))


@callbacks_app.command("resend")
def callbacks_resend(
    delivery: Annotated[list[str] | None, typer.Argument(help="webhook-ids; none: by the options")] = None,
    client_id: Annotated[str | None, typer.Option("--client", help="the ticket system")] = None,
    receiver: ReceiverOption = None,
    reason: Annotated[Failure | None, typer.Option(help="only those given up for this reason")] = None,
    since: Annotated[str | None, typer.Option(help="entered at or after this time (RFC 3339)")] = None,
    until: Annotated[str | None, typer.Option(help="entered before this time (RFC 3339)")] = None,
    *,
    hub: HubAddress = DEFAULT_HUB,
) -> None:
    """
    Queue dead letters again.  The right to deliver each is checked again before it is sent.

    Example: shuniu callbacks resend --receiver forms --since 2026-11-24T00:00:00Z --reason unreachable
    """
    filters = {
        "ids": delivery or None,
        "client": client_id,
        "receiver": receiver,
        "reason": reason,
        "since": since,
        "until": until,
    }
    body = {name: value for name, value in filters.items() if value is not None}
    if not body:
        fail("Name deliveries, or narrow the choice: see shuniu callbacks resend --help", Exit.USAGE)
    answer = client.call(hub, "POST", f"{PATH}/resend", body)
    say.print(f"{len(answer['deliveries'])} deliveries wait again (record {answer['audit']}).", markup=False)


@callbacks_app.command("pause")
def callbacks_pause(client_id: ClientOption, receiver: ReceiverOption = None, *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Pause deliveries to a client; they wait until their deadline.

    Example: shuniu callbacks pause --client ticket-system
    """
    _switch(hub, "pause", client_id, receiver)


@callbacks_app.command("resume")
def callbacks_resume(
    client_id: ClientOption, receiver: ReceiverOption = None, *, hub: HubAddress = DEFAULT_HUB
) -> None:
    """
    Resume deliveries to a client.

    Example: shuniu callbacks resume --client ticket-system
    """
    _switch(hub, "resume", client_id, receiver)


def _switch(hub: str, action: str, client_id: str, receiver: str | None) -> None:
    body = {"client": client_id} | ({} if receiver is None else {"receiver": receiver})
    changed = client.call(hub, "POST", f"{PATH}/{action}", body)["receivers"]
    say.print(f"{action}d: {', '.join(changed) or 'no receiver; the state was the same'}", markup=False)


def _table(rows: list[dict[str, Any]], *columns: str) -> None:
    table = FoldingTable(*columns)
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    show.print(table)
