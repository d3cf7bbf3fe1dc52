"""
`shuniu audit search`: records by what they say, each hit checked, and on demand the proof that none was left out.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import Progress

from adapters.errors import ConfigurationError
from audit.export import formats
from audit.export.formats import ExportFormat
from audit.format.event import EventType
from audit.store.search import Hit, Query, SearchPage, search, search_all
from audit.verify.completeness import Completeness, check_search
from gateway.audit_access import AuditAccess, SearchRevealReason
from gateway.cli import client
from gateway.cli.console import Exit, as_document, say, show
from gateway.cli.local_log import OPERATOR, LogHere, asked_subject, log_here, record
from gateway.cli.options import Json
from schemas.codes import AnswerState, IdType

search_app = typer.Typer()

_PAGE = 500


@search_app.command("search")
def audit_search(
    since: Annotated[datetime | None, typer.Option(help="from this moment on (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(help="before this moment (UTC)")] = None,
    court: Annotated[str | None, typer.Option(help="code of the court")] = None,
    user: Annotated[str | None, typer.Option(help="who acted (with --court)")] = None,
    work_order: Annotated[str | None, typer.Option(help="work order (with --court)")] = None,
    agency: Annotated[str | None, typer.Option(help="an agency that was asked")] = None,
    state: Annotated[AnswerState | None, typer.Option(help="an agency answered so")] = None,
    kinds: Annotated[list[str] | None, typer.Option("--type", help="such as lookup.denied (repeatable)")] = None,
    id_type: Annotated[IdType | None, typer.Option(help="about a person: the number is asked for")] = None,
    country: Annotated[str | None, typer.Option(help="issuer of a travel paper, three letters")] = None,
    before: Annotated[int | None, typer.Option(help="only records below this index")] = None,
    limit: Annotated[int, typer.Option(help="at most so many", min=1, max=_PAGE)] = 50,
    reason: Annotated[SearchRevealReason | None, typer.Option(help="show personal values, for this reason")] = None,
    out_format: Annotated[ExportFormat | None, typer.Option("--format", help="write a file format to stdout")] = None,
    *,
    case: Annotated[bool, typer.Option("--case", help="about a case: its number is asked for")] = False,
    whole: Annotated[bool, typer.Option("--all", help="every page")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="every page, and show that nothing was left out")] = False,
    json_output: Json = False,
) -> None:
    """
    Search the log; every hit is checked.  The search is recorded.  Identifiers come from stdin or a prompt.

    Exit code 6: the search index left something out, or added something.

    Example: shuniu audit search --deep --id-type resident_id < number.txt
    """
    query = Query(
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        court=court,
        user=user,
        work_order=work_order,
        case_number=client.secret_input("Case number") if case else None,
        agency=agency,
        state=state,
        types=_types(kinds),
        subject=asked_subject(id_type, country) if id_type else None,
        before=before,
        limit=_PAGE if whole or deep else limit,
    )
    inspection = AuditAccess(query=query, reveal=reason, out_format=out_format)
    with log_here() as here:
        # The log as it was before this search: what it records itself is no part of its answer.
        size = record(here, inspection.event(OPERATOR, datetime.now(UTC)))
        query = replace(query, below=size)
        seen: list[int] = []
        pages = _noted(search_all(here.reader, query) if whole or deep else [search(here.reader, query)], seen)
        document = _show(pages, inspection, json_output=json_output)
        if deep:
            shown = _walk(here, query, seen, size)
            _tell(shown)
            document["deep"] = asdict(shown)
        if json_output:
            as_document(document)
        if deep and not shown.complete:
            raise typer.Exit(Exit.FINDINGS)


def _noted(pages: Iterable[SearchPage], seen: list[int]) -> Iterator[SearchPage]:
    for page in pages:
        seen += [hit.index for hit in page.hits]
        yield page


def _show(pages: Iterable[SearchPage], inspection: AuditAccess, *, json_output: bool) -> dict[str, Any]:
    """Shows the hits, or gathers them for the one document of `--json`."""
    document: dict[str, Any] = {"hits": [], "next": None}
    if inspection.out_format is not None:
        hits = (hit for page in pages for hit in page.hits)
        sys.stdout.writelines(formats.serialize(inspection.out_format, hits, people=inspection.shows_people))
        return document
    for page in pages:
        document["next"] = page.next
        if json_output:
            document["hits"] += [formats.as_document(hit, people=inspection.shows_people) for hit in page.hits]
            continue
        for hit in page.hits:
            show.print(_line(hit, people=inspection.shows_people), markup=False, highlight=False, soft_wrap=True)
    if document["next"] is not None and not json_output:
        say.print(f"more: --before {document['next']}", markup=False)
    return document


def _line(hit: Hit, *, people: bool) -> str:
    words = [f"{hit.at:%Y-%m-%d %H:%M:%S}", hit.type.value, hit.evidence.value, hit.values.value]
    words += [f"outcome {hit.outcome.index}"] if hit.outcome else []
    words += [text for values in hit.people.values() for text in values.values()] if people else []
    return f"{hit.index}  {'  '.join(words)}"


def _walk(here: LogHere, query: Query, seen: list[int], size: int) -> Completeness:
    with Progress(console=say, transient=True) as bar:
        task = bar.add_task("records", total=size)
        return check_search(
            here.reader, query, seen, size, lambda done, total: bar.update(task, completed=done, total=total)
        )


def _tell(shown: Completeness) -> None:
    closed = f", {shown.closed} of them with values that cannot be read any more" if shown.closed else ""
    say.print(f"walked {shown.walked} records of the period{closed}", markup=False)
    for words, indexes in (
        ("left out by the index", shown.left_out),
        ("added by the index", shown.added),
        ("marks that do not follow from the values", shown.misindexed),
    ):
        if indexes:
            say.print(f"{words}: {', '.join(map(str, indexes))}", style="bold red", markup=False)
    if shown.complete:
        say.print("complete: nothing was left out, nothing was added", markup=False)


def _types(names: list[str] | None) -> tuple[EventType, ...]:
    try:
        return tuple(EventType.from_name(name) for name in names or ())
    except ValueError:
        pass
    raise ConfigurationError(f"no such type of record; they are: {', '.join(kind.value for kind in EventType)}")
