"""
`shuniu audit erase`, `purge` and `succeed`: what is destroyed, what expires, and where a new log begins.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from audit.format.event import EventType
from audit.sealing.keys import GUARD, KeyFile
from audit.store import erasure, succession
from gateway.cli.console import Exit, fail, say
from gateway.cli.local_log import (
    OPERATOR,
    LogHere,
    append,
    asked_subject,
    event_of,
    installed,
    log_here,
    named_key,
    record,
)
from gateway.field_encryption import HUB_KEY
from gateway.provisioning import copy_hub_key
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
        doomed = erasure.erasable(log.reader, subject)
        say.print(f"{len(doomed.indexes)} records, {len(doomed.keys)} keys", markup=False)
        if not yes:
            say.print("Nothing was erased. To do it, run this again with --yes.", markup=False)
            return
        eraser_url = _eraser_url(log)
        for indexes in doomed.ranges():
            detail: dict[str, str | int] = {"ground": ground, "records": len(doomed.indexes), "indexes": indexes}
            record(log, event_of(EventType.LOG_ERASED, "ordered", detail))
        erasure.erase(eraser_url, doomed, schema=log.settings.audit_schema)
    say.print("Erased.", markup=False)


@keeping_app.command("purge")
def audit_purge() -> None:
    """
    Delete the kept answers and results whose time is over.  Run it daily; safe to repeat.

    Example: SHUNIU_ERASER_URL=… shuniu audit purge
    """
    with log_here() as log:
        eraser_url, schema, now = _eraser_url(log), log.settings.audit_schema, datetime.now(UTC)
        bodies = erasure.expired(log.reader, now)
        if bodies:
            detail: dict[str, str | int] = {"ground": erasure.RETENTION, "bodies": bodies}
            record(log, event_of(EventType.LOG_ERASED, "ordered", detail))
            bodies = erasure.purge(eraser_url, now, schema=schema)
    say.print(f"Deleted {bodies} kept bodies.", markup=False)


@keeping_app.command("succeed")
def audit_succeed(
    origin: Annotated[str, typer.Option(help="name of the new log: one that no log has had")],
    schema: Annotated[str, typer.Option(help="its schema in the database, such as audit_2")],
    keys: Annotated[Path | None, typer.Option(help="folder of its keys (default: beside the old one)")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="a checkpoint of the old log that you hold (repeatable)")
    ] = None,
    vkey: Annotated[
        str | None, typer.Option("--vkey", help="the old log's public key, if its key file is lost")
    ] = None,
) -> None:
    """
    Begin a new log where the old one cannot go on: its database was rolled back, or its guard or keys are lost.

    The old log is not touched.  The new one begins with the last checkpoint that is known of it.

    Example: SHUNIU_OWNER_URL=… shuniu audit succeed --origin court.example/audit/2 --schema audit_2
    """
    held = [(str(path), path.read_bytes()) for path in checkpoint or ()]
    with installed() as settings:
        old = settings.key_folder
        if not settings.owner_url:
            fail("Set SHUNIU_OWNER_URL to the database as the owner of its tables.", Exit.USAGE)
        key = KeyFile.load(old).signer.vkey if vkey is None else named_key(vkey)
        found = succession.remembered_checkpoints(settings.owner_url, settings.audit_schema, old / GUARD, key)
        after = succession.last_known(key, [*found, *held])
        if after is None:
            fail("No checkpoint of the old log is left here. Name one that somebody holds: --checkpoint FILE")
        folder = keys or old.with_name(f"{old.name}-{schema}")
        new = succession.begin(settings.owner_url, folder, origin=origin, schema=schema, after=after)
        copied = copy_hub_key(old, folder)
        event = succession.begin_event(after, datetime.now(UTC), OPERATOR)
        append(settings.database_url or "", new, schema, event)
    say.print(
        f"The log {origin} begins after {after.checkpoint.origin} of size {after.checkpoint.size} "
        f"(from {after.where}).  Set in the hub's environment, and start it:\n"
        f"  SHUNIU_ORIGIN={origin}\n  SHUNIU_KEYS={folder}\n  SHUNIU_AUDIT_SCHEMA={schema}",
        markup=False,
    )
    if not copied:
        say.print(f"{HUB_KEY} is not in {old}: put its copy into {folder} first.", style="bold red", markup=False)
    say.print(
        f"Keep {old} and the old schema: they open and prove the old log.  Back up {folder}.  The public key of the "
        f"new log, to give away:\n  {new.signer.vkey.encode()}",
        markup=False,
    )


def _eraser_url(log: LogHere) -> str:
    if not log.settings.eraser_url:
        fail(
            "Set SHUNIU_ERASER_URL to the database as a role that may erase: "
            "CREATE ROLE shuniu_eraser LOGIN; GRANT shuniu_audit_erase TO shuniu_eraser",
            Exit.USAGE,
        )
    return log.settings.eraser_url
