"""
`shuniu audit`: verify, export, prove, check a proof.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from adapters.errors import ConfigurationError
from audit.anchor.anchors import Anchors
from audit.export.exporter import export as export_log
from audit.format.checkpoint import read_checkpoint
from audit.format.event import EventType
from audit.format.note import NoteError, VerifierKey
from audit.format.proof import Proof, ProofError, check_proof
from audit.store.reader import Reader
from audit.verify.cosign_policy import CosignPolicy, CosignPolicyError, parse_policy, weigh
from audit.verify.database_source import verify_tables
from audit.verify.deep_verification import check_deep
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import VerificationReport, VerificationVerdict, verify
from gateway.cli.audit_anchors import anchors_app
from gateway.cli.audit_retention import keeping_app
from gateway.cli.audit_search import search_app
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.local_log import event_of, log_here, named_key, record
from gateway.cli.options import Json

audit_app = typer.Typer(no_args_is_help=True, help="The audit log: check it, export it, search it.")
audit_app.add_typer(search_app)
audit_app.add_typer(keeping_app)
audit_app.add_typer(anchors_app)

Vkey = Annotated[str | None, typer.Option("--vkey", help="the log's public key, or the file that holds it")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="who must have cosigned (C2SP tlog-policy)")]
_EXITS = {
    VerificationVerdict.INTACT: Exit.OK,
    VerificationVerdict.ALTERED: Exit.FINDINGS,
    VerificationVerdict.CANNOT_SAY: Exit.FAILED,
}


@audit_app.command("verify")
def audit_verify(
    folder: Annotated[Path | None, typer.Argument(help="an exported folder; without it, this hub's database")] = None,
    against: Annotated[list[Path] | None, typer.Option(help="an older checkpoint (repeatable)")] = None,
    vkey: Vkey = None,
    policy: PolicyFile = None,
    *,
    deep: Annotated[bool, typer.Option("--deep", help="also every sealed value and the search index")] = False,
    json_output: Json = False,
) -> None:
    """
    Check every record against the signed checkpoint; on damage, say where.

    Exit codes: 0 intact, 6 altered, 1 cannot say.  Example: shuniu audit verify export/ --against yesterday.checkpoint
    """
    older = [path.read_bytes() for path in against or ()]
    asked = _policy(policy)
    if asked is not None and folder is None:
        fail("A policy is held against an exported folder: shuniu audit verify FOLDER --policy FILE", Exit.USAGE)
    with Progress(console=say, transient=True) as bar:
        task = bar.add_task("entries", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if folder is not None:
            source, key = DirectorySource(folder), _key(vkey, folder)
            given = [*source.older(), *source.cosigned(), *older]
            report = verify(source, key.name, [key], against=given, progress=progress)
            if asked is not None:
                weigh(report, asked, [key], [source.checkpoint(), *given])
            if vkey is None:
                report.unchecked.append("whether log.vkey in the folder is the log's true key: give it with --vkey")
        else:
            with log_here() as log:
                key = log.keys.signer.vkey
                report = verify_tables(log.reader, key.name, [key], against=older, progress=progress)
                if deep:
                    _deepen(log.reader, report)
    if json_output:
        as_document(_document(report))
    else:
        _tell(report)
    raise typer.Exit(_EXITS[report.verdict])


def _key(text: str | None, folder: Path) -> VerifierKey:
    try:
        return DirectorySource(folder).key() if text is None else named_key(text)
    except (NoteError, OSError, ConfigurationError) as error:
        problem = str(error)
    return fail(problem, Exit.USAGE)


def _policy(path: Path | None) -> CosignPolicy | None:
    if path is None:
        return None
    try:
        return parse_policy(path.read_bytes())
    except (CosignPolicyError, OSError) as error:
        problem = str(error)
    return fail(problem, Exit.USAGE)


def _deepen(reader: Reader, report: VerificationReport) -> None:
    deep = check_deep(reader)
    values = ", ".join(f"{count} {name}" for name, count in sorted(deep.values.items()))
    report.checked.append(f"sealed values and search index of every record: {values}")
    if deep.orphans:
        report.checked.append(f"{len(deep.orphans)} intents without an outcome, the first at {deep.orphans[0]}")
    report.findings += deep.findings()


def _tell(report: VerificationReport) -> None:
    show.print(f"log {report.origin}, {report.size} entries, root {report.root.hex()}", markup=False, highlight=False)
    for line in report.checked:
        show.print(f"  checked: {line}", markup=False)
    for line in report.unchecked:
        show.print(f"  not checked: {line}", markup=False)
    for finding in report.findings:
        show.print(f"  FOUND: {finding}", markup=False)
    style = "bold green" if report.verdict is VerificationVerdict.INTACT else "bold red"
    show.print(report.last_line(), style=style, markup=False)


def _document(report: VerificationReport) -> dict[str, object]:
    return {
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "verdict": report.verdict.name.lower(),
        "findings": [
            {"damage": one.damage.name.lower(), "first": one.first, "last": one.last, "where": one.where}
            for one in report.findings
        ],
        "checked": report.checked,
        "unchecked": report.unchecked,
    }


@audit_app.command("export")
def audit_export(folder: Annotated[Path, typer.Argument(help="where to; an earlier export is continued")]) -> None:
    """
    Write the log into a folder that public tools can verify.  The export is recorded in the log.

    Example: shuniu audit export /media/usb/audit
    """
    with log_here() as log:
        record(log, event_of(EventType.LOG_EXPORTED, "answered", {"format": "tlog-tiles"}))
        size = export_log(log.reader, folder, log.keys.signer.vkey)
    say.print(f"{size} entries in {folder}; how to check them without us: {folder}/README.md", markup=False)


@audit_app.command("prove")
def audit_prove(
    index: Annotated[int, typer.Argument(help="number of the record")],
    out: Annotated[Path | None, typer.Option(help="where to (default: INDEX.tlog-proof)")] = None,
    *,
    cosigned: Annotated[bool, typer.Option("--cosigned", help="under the newest checkpoint with cosignatures")] = False,
) -> None:
    """
    Write the offline proof that a record is in the log, and the record's bytes beside it.

    Example: shuniu audit prove 4711
    """
    with log_here() as log:
        note = Anchors(log.reader).newest_cosigned() if cosigned else log.reader.head().signed_note
        size = read_checkpoint(note).size if note else 0
        body = log.reader.body(index)
        if body is None or index >= size or not note:
            fail(f"No {'cosigned' if cosigned else 'signed'} checkpoint covers record {index} (yet).", Exit.NOT_FOUND)
        proof = Proof(index, tuple(log.reader.inclusion(index, size)), note)
    path = out or Path(f"{index}.tlog-proof")
    path.write_bytes(proof.encode())
    path.with_suffix(".entry").write_bytes(body)
    say.print(f"{path} and {path.with_suffix('.entry')}", markup=False)


@audit_app.command("check-proof")
def audit_check_proof(
    proof: Annotated[Path, typer.Argument(help="the .tlog-proof file")],
    entry: Annotated[Path, typer.Argument(help="the record's exact bytes")],
    vkey: Annotated[str, typer.Option("--vkey", help="the log's public key, or the file that holds it")],
    policy: PolicyFile = None,
) -> None:
    """
    Check an offline proof; needs no hub and no database.

    Example: shuniu audit check-proof 4711.tlog-proof 4711.entry --vkey log.vkey
    """
    key, asked = _key(vkey, proof.parent), _policy(policy)
    try:
        given = Proof.parse(proof.read_bytes())
        checkpoint = check_proof(given, entry.read_bytes(), key.name, [key])
    except (ProofError, NoteError) as error:
        problem = str(error)
    else:
        if asked is not None and asked.judge(given.checkpoint, [key]) is None:
            fail("The record is in the log, but its checkpoint is not cosigned as the policy asks.", Exit.FINDINGS)
        show.print(f"proved: record of the log {checkpoint.origin}, size {checkpoint.size}", style="bold green")
        return
    fail(problem, Exit.FINDINGS)
