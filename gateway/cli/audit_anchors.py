"""
`shuniu audit status`, `checkpoint` and `witness-key`: how the log is anchored, on paper, and with the neighbours.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from audit.anchor.anchors import Anchors
from audit.anchor.paper_checkpoint import page
from audit.anchor.witness_key import FILE, create_witness_key, load_witness_key, witness_name
from gateway.anchors.anchor_sources import court_day
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.local_log import log_here
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.settings import Settings

anchors_app = typer.Typer()

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@anchors_app.command("status")
def audit_status(*, hub: HubAddress = DEFAULT_HUB, json_output: Json = False) -> None:
    """
    Say how the running hub's log stands: signed, anchored, orphans.  Needs no token.

    Exit codes: 0 well, 6 an anchor is late or nothing is signed any more, 1 no hub answers.
    Example: shuniu audit status --hub http://127.0.0.1:8080
    """
    said = _health(hub)
    if json_output:
        as_document(said)
    else:
        _tell(said)
    if said["broken"] or any(anchor["late"] for anchor in said["anchors"]):
        raise typer.Exit(Exit.FINDINGS)


@anchors_app.command("checkpoint")
def audit_checkpoint(
    html: Annotated[Path | None, typer.Option("--html", help="write a printable page (A4) instead")] = None,
) -> None:
    """
    Print the newest signed checkpoint; keep it where nobody who runs this system can change it.

    Example: shuniu audit checkpoint --html today.html
    """
    with log_here() as log:
        # What leaves the house is kept here too, so that later evidence can be shown with it.
        kept = Anchors(log.reader).retain_newest()
        vkey = log.keys.signer.vkey
    if kept is None:
        fail("Nothing is signed yet; start the hub once: shuniu serve", Exit.NOT_FOUND)
    if html is None:
        show.print(kept.note.decode(), end="", markup=False, highlight=False, soft_wrap=True)
        return
    html.write_text(page(kept.note, vkey, court_day(datetime.now(UTC))), encoding="utf-8")
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


def _health(hub: str) -> Any:
    try:
        answer = httpx.get(f"{hub}/readyz", timeout=10, trust_env=False)
    except httpx.HTTPError:
        answer = None
    if answer is None:
        fail(f"No hub answers at {hub}. Start one (shuniu serve), or name another with --hub.")
    said = answer.json()
    if not answer.is_success:
        fail(f"{said['detail']} [{said['type']}]")
    return said["audit"]


def _tell(said: Any) -> None:
    orphans = said["orphans"]
    waiting = "not counted yet" if orphans["open"] is None else f"{orphans['open']} open"
    lines = (
        f"entries     {said['size']}",
        f"signed      {said['checkpoint_size']} (checked {_age(said['checkpoint_age_s'])} ago)",
        f"orphans     {waiting}, {orphans['closed']} closed",
    )
    show.print("\n".join(lines), markup=False, highlight=False)
    if said["anchors"]:
        table = Table("kind", "name", "size", "age", "state", "last error")
        for one in said["anchors"]:
            state = "LATE" if one["late"] else "in time"
            age = "never" if one["age_s"] is None else _age(one["age_s"])
            unparsed = "" if one["unparsed"] is None else f"unparsed evidence for size {one['unparsed']}"
            why = one["last_error"] or unparsed
            table.add_row(one["kind"], one["name"], str(one["size"] or "-"), age, state, why)
        show.print(table)
    else:
        show.print("anchors     none configured (SHUNIU_ANCHORS)", markup=False, highlight=False)
    if said["broken"]:
        show.print(f"NOTHING IS SIGNED: {said['broken']}", style="bold red", markup=False)


def _age(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{seconds / size:.0f} {unit}"
