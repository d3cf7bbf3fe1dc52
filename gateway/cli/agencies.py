"""
`shuniu agencies`: their lookups, their state, their certificates and whether they can be reached.
"""

import socket
import time
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.live import Live
from rich.text import Text

from adapters.errors import ConfigurationError
from adapters.wire.tls import WARN_DAYS
from gateway.cli import agency_table, client
from gateway.cli.console import Exit, as_document, fail, show
from gateway.cli.folding_table import FoldingTable
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.cli.outbound import outbound_app
from gateway.settings import Settings

agencies_app = typer.Typer(no_args_is_help=True, help="The agencies and what they can be asked.")
agencies_app.add_typer(outbound_app)

CONNECT_SECONDS = 2.0
WATCH_SECONDS = 2.0


@agencies_app.command("list")
def agencies_list(*, hub: HubAddress = DEFAULT_HUB, json_output: Json = False) -> None:
    """
    Show which agency offers which lookup, and until when the certificates of its connection serve.

    Example: shuniu agencies list --json
    """
    matrix = client.call(hub, "GET", "/v1/agencies")
    if json_output:
        as_document(matrix)
        return
    table = FoldingTable("agency", "lookup", "about", "by", "serves", "wire family")
    for agency in matrix:
        for capability in agency["capabilities"]:
            by, serves = ", ".join(capability["by"]), ", ".join(capability["serves"])
            family = capability["family"] or "not connected"
            table.add_row(agency["id"], capability["name"], capability["subject"], by, serves, family)
    show.print(table)
    if any(agency["certificates"] for agency in matrix):
        show.print()
        show.print(certificates(matrix, datetime.now(UTC)))


@agencies_app.command("status")
def agencies_status(
    *,
    hub: HubAddress = DEFAULT_HUB,
    json_output: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="look again every two seconds until Ctrl-C")] = False,
) -> None:
    """
    Show the state of every agency: breaker, quotas, questions in flight, last good answer.  Asks no agency anything.

    Exit code 4 if one of them is not asked just now.

    Example: shuniu agencies status --watch
    """
    if watch and json_output:
        fail("--json prints one document and ends; leave out --watch.", Exit.USAGE)
    matrix = client.call(hub, "GET", "/v1/agencies")
    if json_output:
        as_document(matrix)
    elif watch:
        first = agency_table.status_table(matrix, datetime.now(UTC))
        with suppress(KeyboardInterrupt), Live(first, console=show, auto_refresh=False) as live:
            while True:
                time.sleep(WATCH_SECONDS)
                matrix = client.call(hub, "GET", "/v1/agencies")
                live.update(agency_table.status_table(matrix, datetime.now(UTC)), refresh=True)
    else:
        show.print(agency_table.status_table(matrix, datetime.now(UTC)))
    if agency_table.any_suspended(matrix):
        raise typer.Exit(Exit.AGENCY_UNAVAILABLE)


@agencies_app.command("ping")
def agencies_ping(*, json_output: Json = False) -> None:
    """
    Open a connection to every agency of agencies.toml; asks nothing.

    Example: shuniu agencies ping
    """
    pings: list[dict[str, Any]] = [_ping(name, address) for name, address in _addresses(Settings().agencies)]
    if json_output:
        as_document(pings)
    else:
        table = FoldingTable("agency", "address", "reached")
        for ping in pings:
            table.add_row(ping["agency"], ping["address"], "yes" if ping["reached"] else "no")
        show.print(table)
    if not all(ping["reached"] for ping in pings):
        raise typer.Exit(Exit.AGENCY_UNAVAILABLE)


def certificates(matrix: list[dict[str, Any]], now: datetime) -> FoldingTable:
    """When each file of an agency's connection expires, and what to do about it; `now` is aware."""
    table = FoldingTable("agency", "certificates", "serve until", "")
    for agency in matrix:
        for certificate in agency["certificates"]:
            ends = datetime.fromisoformat(certificate["expires_at"])
            until = ends.astimezone().strftime("%Y-%m-%d %H:%M")
            table.add_row(agency["id"], certificate["file"], until, _remaining(ends, now))
    return table


def _remaining(ends: datetime, now: datetime) -> Text:
    days = (ends - now).days
    if ends <= now:
        return Text("over: the agency cannot be reached any more", "red")
    if days < WARN_DAYS:
        return Text(f"{days} days left: ask for the next one now", "yellow")
    return Text(f"{days} days left")


def _addresses(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        raise ConfigurationError(f"{path}: no such file; name yours with SHUNIU_AGENCIES=…/agencies.toml")
    with path.open("rb") as file:
        return [(name, facts["address"]) for name, facts in tomllib.load(file).items()]


def _ping(name: str, address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
    except OSError:
        return {"agency": name, "address": address, "reached": False}
    return {"agency": name, "address": address, "reached": True}
