"""
`shuniu callbacks`: who is told, what became of deliveries, and taking dead letters up again.
"""

from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.table import Table

from gateway.callbacks.states import DeliveryState, Failure
from gateway.cli import client
from gateway.cli.console import Exit, as_document, fail, say, show
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
    internal: Annotated[bool, typer.Option(help="its host stands inside the house")] = False,
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
    Send a test delivery that tells of nobody.

    Example: shuniu callbacks try forms
    """
    entered = client.call(hub, "POST", f"{PATH}/receivers/{name}/trial")["delivery"]
    say.print(f"Sent. See what becomes of it: shuniu callbacks show {entered}", markup=False)


@callbacks_app.command("remove")
def callbacks_remove(name: Annotated[str, typer.Argument()], *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Remove a receiver and its secrets; what waits for it is given up.

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
    found = client.call(hub, "GET", f"{PATH}/receivers")["receivers"]
    if json_output:
        as_document(found)
        return
    _table(found, "name", "client", "state", "url", "internal", "preferred")


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
    List deliveries and what became of them.

    Example: shuniu callbacks list --state dead_lettered
    """
    asked = {"state": state, "receiver": receiver, "reason": reason, "most": most}
    query = urlencode({name: str(value) for name, value in asked.items() if value is not None})
    found = client.call(hub, "GET", f"{PATH}/deliveries?{query}")["deliveries"]
    if json_output:
        as_document(found)
        return
    _table(found, "id", "receiver", "state", "reason", "attempts", "created_at")


@callbacks_app.command("show")
def callbacks_show(
    delivery: Annotated[str, typer.Argument(help="webhook-id")], *, hub: HubAddress = DEFAULT_HUB
) -> None:
    """
    Show one delivery, without what it tells.

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
    Take dead letters up again.  Each one's right is asked for anew before it leaves.

    Example: shuniu callbacks resend --receiver forms --since 2026-11-24T00:00:00Z --reason unreachable
    """
    asked = {
        "ids": delivery or None,
        "client": client_id,
        "receiver": receiver,
        "reason": reason,
        "since": since,
        "until": until,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    if not body:
        fail("Name deliveries, or narrow the choice: see shuniu callbacks resend --help", Exit.USAGE)
    answer = client.call(hub, "POST", f"{PATH}/resend", body)
    say.print(f"{len(answer['deliveries'])} deliveries wait again (record {answer['audit']}).", markup=False)


@callbacks_app.command("pause")
def callbacks_pause(client_id: ClientOption, receiver: ReceiverOption = None, *, hub: HubAddress = DEFAULT_HUB) -> None:
    """
    Pause what a client is told; deliveries wait until their deadline.

    Example: shuniu callbacks pause --client ticket-system
    """
    _turn(hub, "pause", client_id, receiver)


@callbacks_app.command("resume")
def callbacks_resume(
    client_id: ClientOption, receiver: ReceiverOption = None, *, hub: HubAddress = DEFAULT_HUB
) -> None:
    """
    Resume what a client is told.

    Example: shuniu callbacks resume --client ticket-system
    """
    _turn(hub, "resume", client_id, receiver)


def _turn(hub: str, what: str, client_id: str, receiver: str | None) -> None:
    body = {"client": client_id} | ({} if receiver is None else {"receiver": receiver})
    changed = client.call(hub, "POST", f"{PATH}/{what}", body)["receivers"]
    say.print(f"{what}d: {', '.join(changed) or 'nothing; it stood so already'}", markup=False)


def _table(rows: list[dict[str, Any]], *columns: str) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    show.print(table)
