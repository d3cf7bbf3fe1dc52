"""
`shuniu audit status`, `checkpoint` and `witness-key`: the anchors of the log.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.anchor.anchors import Anchors
from audit.anchor.paper_checkpoint import page
from audit.anchor.witness_key import FILE, create_witness_key, load_witness_key, witness_name
from gateway.cli import client
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.folding_table import FoldingTable
from gateway.cli.local_log import log_here
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.settings import Settings
from schemas.china_time import day_in_china

anchors_app = typer.Typer()

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@anchors_app.command("status")
def audit_status(*, hub: HubAddress = DEFAULT_HUB, json_output: Json = False) -> None:
    """
    Show the state of the running hub's log: signed, anchored, orphans.  Needs no token.

    Exit codes: 0 well, 6 an anchor is late or nothing is signed any more, 1 no hub answers.
    Example: shuniu audit status --hub http://127.0.0.1:8080
    """
    status = client.request(hub, "GET", "/readyz")["audit"]
    if json_output:
        as_document(status)
    else:
        _print_status(status)
    if status["broken"] or any(anchor["late"] for anchor in status["anchors"]):
        raise typer.Exit(Exit.FINDINGS)


@anchors_app.command("checkpoint")
def audit_checkpoint(
    html: Annotated[Path | None, typer.Option("--html", help="write a printable page (A4) instead")] = None,
) -> None:
    """
    Print the newest signed checkpoint; keep it out of reach of those who run this system.

    Example: shuniu audit checkpoint --html today.html
    """
    with log_here() as log:
        # The log keeps what is printed, so that later evidence can be shown with it.
        checkpoint = Anchors(log.reader).retain_newest()
        vkey = log.keys.signer.vkey
    if checkpoint is None:
        fail("Nothing is signed yet; start the hub once: shuniu serve", Exit.NOT_FOUND)
    if html is None:
        show.print(checkpoint.note.decode(), end="", markup=False, highlight=False, soft_wrap=True)
        return
    html.write_text(page(checkpoint.note, vkey, day_in_china(datetime.now(UTC))), encoding="utf-8")
    say.print(f"{html}: print it, sign it, and keep it away from this system.", markup=False)


@anchors_app.command("witness-key")
def audit_witness_key() -> None:
    """
    Print the public key with which this court cosigns its neighbours' logs; the first time, make the key.

    Example: shuniu audit witness-key
    """
    settings = Settings()
    if (settings.key_folder / FILE).exists():
        cosigner = load_witness_key(settings.key_folder)
    else:
        cosigner = create_witness_key(settings.key_folder, name=witness_name(settings.origin))
        say.print(f"Key made: {settings.key_folder / FILE}. Back it up with the others.", markup=False)
    show.print(cosigner.vkey.encode(), markup=False, highlight=False, soft_wrap=True)


def _print_status(status: Any) -> None:
    orphans = status["orphans"]
    waiting = "not counted yet" if orphans["open"] is None else f"{orphans['open']} open"
    lines = (
        f"entries     {status['size']}",
        f"signed      {status['checkpoint_size']} (checked {_age(status['checkpoint_age_s'])} ago)",
        f"orphans     {waiting}, {orphans['closed']} closed",
    )
    show.print("\n".join(lines), markup=False, highlight=False)
    if status["anchors"]:
        table = FoldingTable("kind", "name", "size", "age", "state", "last error")
        for anchor in status["anchors"]:
            state = "LATE" if anchor["late"] else "in time"
            age = "never" if anchor["age_s"] is None else _age(anchor["age_s"])
            unparsed = "" if anchor["unparsed"] is None else f"unparsed evidence for size {anchor['unparsed']}"
            error = anchor["last_error"] or unparsed
            table.add_row(anchor["kind"], anchor["name"], str(anchor["size"] or "-"), age, state, error)
        show.print(table)
    else:
        show.print("anchors     none configured (SHUNIU_ANCHORS)", markup=False, highlight=False)
    if status["broken"]:
        show.print(f"NOTHING IS SIGNED: {status['broken']}", style="bold red", markup=False)


def _age(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{seconds / size:.0f} {unit}"
