"""
`shuniu audit`: verify, export, prove, search, erase.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.progress import Progress

from adapters.errors import ConfigurationError
from audit import erasing, errors, formats
from audit.deep import check_deep
from audit.event import Event, EventType, Who
from audit.export import export as export_log
from audit.folder import Folder
from audit.keys import KeyFile, Keys
from audit.log import Log
from audit.note import NoteError, VerifierKey
from audit.proof import Proof, ProofError, check_proof
from audit.reader import Reader
from audit.search import Page, Query, search
from audit.tables import verify_tables
from audit.verify import Report, Verdict, verify
from gateway.cli import client
from gateway.cli.options import Json
from gateway.cli.out import Exit, as_document, fail, say, show
from gateway.installation import bundled_database
from gateway.settings import Settings
from schemas.codes import AnswerState, IdType, SubjectKind
from schemas.identifiers import parse
from schemas.subject import Subject

audit_app = typer.Typer(no_args_is_help=True, help="The audit log: check it, export it, search it.")

Vkey = Annotated[str | None, typer.Option("--vkey", help="the log's public key, or the file that holds it")]
_EXITS = {Verdict.INTACT: Exit.OK, Verdict.ALTERED: Exit.FINDINGS, Verdict.CANNOT_SAY: Exit.FAILED}


class Format(StrEnum):
    """A file format of search results."""

    JSONL = "jsonl"
    CSV = "csv"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True)
class _Opened:
    settings: Settings
    keys: Keys
    dsn: str
    reader: Reader


@contextmanager
def _database() -> Iterator[_Opened]:
    """The log of this installation, for reading; the bundled server is started if that is where it is."""
    problem = ""
    settings = Settings()
    with ExitStack() as stack:
        try:
            if settings.database_url is None:
                settings = stack.enter_context(bundled_database(settings))
            keys = KeyFile.load(settings.key_folder)
            dsn = settings.database_url or ""
            reader = Reader(dsn, keys, timeout=30)
            stack.callback(reader.close)
            yield _Opened(settings, keys, dsn, reader)
        except (errors.ConfigurationError, errors.AuditError) as error:
            problem = str(error)
    if problem:
        raise ConfigurationError(problem)


@audit_app.command("verify")
def audit_verify(
    folder: Annotated[Path | None, typer.Argument(help="an exported folder; without it, this hub's database")] = None,
    against: Annotated[list[Path] | None, typer.Option(help="an older checkpoint (repeatable)")] = None,
    vkey: Vkey = None,
    *,
    deep: Annotated[bool, typer.Option("--deep", help="also every sealed value and the search index")] = False,
    json_output: Json = False,
) -> None:
    """
    Check every record against the signed checkpoint; on damage, say where.

    Exit codes: 0 intact, 6 altered, 1 cannot say.  Example: shuniu audit verify export/ --against yesterday.checkpoint
    """
    older = [path.read_bytes() for path in against or ()]
    with Progress(console=say, transient=True) as bar:
        task = bar.add_task("entries", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if folder is not None:
            source, key = Folder(folder), _key(vkey, folder)
            report = verify(source, key.name, [key], against=[*source.older(), *older], progress=progress)
            if vkey is None:
                report.unchecked.append("whether log.vkey in the folder is the log's true key: give it with --vkey")
        else:
            with _database() as log:
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
        if text is None:
            return Folder(folder).key()
        path = Path(text)
        return VerifierKey.parse(path.read_text(encoding="utf-8") if path.is_file() else text)
    except (NoteError, OSError) as error:
        problem = str(error)
    return fail(problem, Exit.USAGE)


def _deepen(reader: Reader, report: Report) -> None:
    deep = check_deep(reader)
    values = ", ".join(f"{count} {name}" for name, count in sorted(deep.values.items()))
    report.checked.append(f"sealed values and search index of every record: {values}")
    if deep.orphans:
        report.checked.append(f"{len(deep.orphans)} intents without an outcome, the first at {deep.orphans[0]}")
    report.findings += deep.findings()


def _tell(report: Report) -> None:
    show.print(f"log {report.origin}, {report.size} entries, root {report.root.hex()}", markup=False, highlight=False)
    for line in report.checked:
        show.print(f"  checked: {line}", markup=False)
    for line in report.unchecked:
        show.print(f"  not checked: {line}", markup=False)
    for finding in report.findings:
        show.print(f"  FOUND: {finding}", markup=False)
    style = "bold green" if report.verdict is Verdict.INTACT else "bold red"
    show.print(report.last_line(), style=style, markup=False)


def _document(report: Report) -> dict[str, object]:
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
    with _database() as log:
        _record(log, EventType.LOG_EXPORTED, {"format": "tlog-tiles"})
        size = export_log(log.reader, folder, log.keys.signer.vkey)
    say.print(f"{size} entries in {folder}; how to check them without us: {folder}/README.md", markup=False)


@audit_app.command("prove")
def audit_prove(
    index: Annotated[int, typer.Argument(help="number of the record")],
    out: Annotated[Path | None, typer.Option(help="where to (default: INDEX.tlog-proof)")] = None,
) -> None:
    """
    Write the offline proof that a record is in the log, and the record's bytes beside it.

    Example: shuniu audit prove 4711
    """
    with _database() as log:
        head = log.reader.head()
        body = log.reader.body(index)
        if body is None or index >= head.signed_size:
            fail(f"No signed checkpoint covers record {index} (yet).", Exit.NOT_FOUND)
        proof = Proof(index, tuple(log.reader.inclusion(index, head.signed_size)), head.signed_note)
    path = out or Path(f"{index}.tlog-proof")
    path.write_bytes(proof.encode())
    path.with_suffix(".entry").write_bytes(body)
    say.print(f"{path} and {path.with_suffix('.entry')}", markup=False)


@audit_app.command("check-proof")
def audit_check_proof(
    proof: Annotated[Path, typer.Argument(help="the .tlog-proof file")],
    entry: Annotated[Path, typer.Argument(help="the record's exact bytes")],
    vkey: Annotated[str, typer.Option("--vkey", help="the log's public key, or the file that holds it")],
) -> None:
    """
    Check an offline proof; needs no hub and no database.

    Example: shuniu audit check-proof 4711.tlog-proof 4711.entry --vkey log.vkey
    """
    key = _key(vkey, proof.parent)
    try:
        checkpoint = check_proof(Proof.parse(proof.read_bytes()), entry.read_bytes(), key.name, [key])
    except (ProofError, NoteError) as error:
        problem = str(error)
    else:
        show.print(f"proved: record of the log {checkpoint.origin}, size {checkpoint.size}", style="bold green")
        return
    fail(problem, Exit.FINDINGS)


@audit_app.command("search")
def audit_search(
    since: Annotated[datetime | None, typer.Option(help="from this moment on (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(help="before this moment (UTC)")] = None,
    court: Annotated[str | None, typer.Option(help="code of the court")] = None,
    user: Annotated[str | None, typer.Option(help="who acted (with --court)")] = None,
    work_order: Annotated[str | None, typer.Option(help="work order (with --court)")] = None,
    agency: Annotated[str | None, typer.Option(help="an agency that was asked")] = None,
    state: Annotated[AnswerState | None, typer.Option(help="an agency answered so")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="type of event, such as lookup.denied")] = None,
    id_type: Annotated[IdType | None, typer.Option(help="about a person: the number is asked for")] = None,
    before: Annotated[int | None, typer.Option(help="only records below this index")] = None,
    limit: Annotated[int, typer.Option(help="at most so many")] = 50,
    out_format: Annotated[Format | None, typer.Option("--format", help="write a file format to stdout")] = None,
    *,
    case: Annotated[bool, typer.Option("--case", help="about a case: its number is asked for")] = False,
    json_output: Json = False,
) -> None:
    """
    Search the log; every hit is checked.  The search is recorded.  Identifiers come from stdin or a prompt.

    Example: shuniu audit search --id-type resident_id < number.txt
    """
    subject = _asked_subject(id_type) if id_type else None
    query = Query(
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        court=court,
        user=user,
        work_order=work_order,
        case_number=client.secret_input("Case number") if case else None,
        agency=agency,
        state=state,
        types=(EventType.named(kind),) if kind else (),
        subject=subject,
        before=before,
        limit=limit,
    )
    with _database() as log:
        kind_of_use = EventType.LOG_EXPORTED if out_format else EventType.LOG_SEARCHED
        _record(log, kind_of_use, {"format": out_format.value} if out_format else {}, *([subject] if subject else []))
        page = search(log.reader, query)
    if out_format is not None:
        sys.stdout.writelines(_formatted(out_format, page, log.keys.origin))
        return
    if json_output:
        as_document({"hits": [formats.as_document(hit, people=True) for hit in page.hits], "next": page.next})
        return
    for hit in page.hits:
        outcome = f", outcome {hit.outcome.index}" if hit.outcome else ""
        line = f"{hit.index}  {hit.at:%Y-%m-%d %H:%M:%S}  {hit.type.value}  {hit.evidence.value}  {hit.values.value}"
        show.print(line + outcome, markup=False)
    if page.next is not None:
        say.print(f"more: --before {page.next}", markup=False)


def _formatted(out_format: Format, page: Page, origin: str) -> Iterator[str]:
    if out_format is Format.JSONL:
        yield from formats.as_jsonl(page.hits, people=True)
    elif out_format is Format.CSV:
        yield from formats.as_csv(page.hits, people=True)
    else:
        yield json.dumps(formats.as_fhir(page.hits, origin=origin, people=True), ensure_ascii=False, indent=2) + "\n"


@audit_app.command("erase")
def audit_erase(
    ground: Annotated[str, typer.Option(help="the legal ground, one word, such as pipl-47")],
    eraser_url: Annotated[str, typer.Option(envvar="SHUNIU_ERASER_URL", help="database as a role that may erase")],
    id_type: Annotated[IdType, typer.Option(help="type of the identifier")] = IdType.RESIDENT_ID,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do it; without it, only say what would be erased")] = False,
) -> None:
    """
    Destroy the keys to a person's sealed values.  Proofs still verify; the values cannot be brought back.

    Example: shuniu audit erase --ground pipl-47 --yes < number.txt
    """
    subject = _asked_subject(id_type)
    with _database() as log:
        doomed = erasing.erasable(log.reader, subject)
        say.print(f"{len(doomed.indexes)} records, {len(doomed.keys)} keys", markup=False)
        if not yes:
            say.print("Nothing was erased. To do it, run this again with --yes.", markup=False)
            return
        for indexes in doomed.ranges():
            detail: dict[str, str | int] = {"ground": ground, "records": len(doomed.indexes), "indexes": indexes}
            _record(log, EventType.LOG_ERASED, detail)
        erasing.erase(eraser_url, doomed)
    say.print("Erased.", markup=False)


def _asked_subject(id_type: IdType) -> Subject:
    identifier = parse(id_type, client.secret_input("Identifier"))
    person = id_type not in {IdType.USCC, IdType.ORGANIZATION_CODE, IdType.REGISTRATION_NUMBER}
    kind = SubjectKind.PERSON if person else SubjectKind.ORGANIZATION
    return Subject(kind=kind, id_type=id_type, id_number=identifier.value)


def _record(log: _Opened, kind: EventType, detail: dict[str, str | int], *whose: Subject) -> None:
    """What is done with the log stands in the log, durable before it is done."""

    async def record() -> None:
        opened = await Log.open(log.dsn, log.keys, sign_every=None)
        try:
            who = Who(client="command line", role="operator")
            event = Event(type=kind, exchange=uuid4(), at=datetime.now(UTC), who=who, whose=whose, detail=detail)
            await opened.append(event)
            await opened.sign()
        finally:
            await opened.aclose()

    asyncio.run(record())
