"""
`shuniu audit erase`, `purge` and `succeed`: what is destroyed, what expires, and where a new log begins.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from audit import erasing
from audit.event import EventType
from gateway.cli.log_here import LogHere, asked_subject, event_of, log_here, record
from gateway.cli.out import Exit, fail, say
from schemas.codes import IdType

keeping_app = typer.Typer()


@keeping_app.command("erase")
def audit_erase(
    ground: Annotated[str, typer.Option(help="the legal ground, one word, such as pipl-47")],
    id_type: Annotated[IdType, typer.Option(help="type of the identifier")] = IdType.RESIDENT_ID,
    country: Annotated[str | None, typer.Option(help="issuer of a travel paper, three letters")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it, only say what would be erased")] = False,
) -> None:
    """
    Destroy the keys to a person's sealed values.  Proofs still verify; the values cannot be brought back.

    Example: SHUNIU_ERASER_URL=… shuniu audit erase --ground pipl-47 --yes < number.txt
    """
    subject = asked_subject(id_type, country)
    with log_here() as log:
        doomed = erasing.erasable(log.reader, subject)
        say.print(f"{len(doomed.indexes)} records, {len(doomed.keys)} keys", markup=False)
        if not yes:
            say.print("Nothing was erased. To do it, run this again with --yes.", markup=False)
            return
        eraser_url = _eraser_url(log)
        for indexes in doomed.ranges():
            detail: dict[str, str | int] = {"ground": ground, "records": len(doomed.indexes), "indexes": indexes}
            record(log, event_of(EventType.LOG_ERASED, detail))
        erasing.erase(eraser_url, doomed, schema=log.settings.audit_schema)
    say.print("Erased.", markup=False)


@keeping_app.command("purge")
def audit_purge() -> None:
    """
    Delete the kept answers and results whose time is over.  Run it daily; safe to repeat.

    Example: SHUNIU_ERASER_URL=… shuniu audit purge
    """
    with log_here() as log:
        eraser_url, schema, now = _eraser_url(log), log.settings.audit_schema, datetime.now(UTC)
        bodies = erasing.expired(log.reader, now)
        if bodies:
            detail: dict[str, str | int] = {"ground": erasing.RETENTION, "bodies": bodies}
            record(log, event_of(EventType.LOG_ERASED, detail))
            bodies = erasing.purge(eraser_url, now, schema=schema)
    say.print(f"Deleted {bodies} kept bodies.", markup=False)


def _eraser_url(log: LogHere) -> str:
    if not log.settings.eraser_url:
        fail(
            "Set SHUNIU_ERASER_URL to the database as a role that may erase: "
            "CREATE ROLE shuniu_eraser LOGIN; GRANT shuniu_audit_erase TO shuniu_eraser",
            Exit.USAGE,
        )
    return log.settings.eraser_url
