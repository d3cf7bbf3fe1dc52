"""
Search hits as files for other tools: JSON lines and CSV.

`people=False` leaves personal values out of both.  Files are written in pieces, so that their length costs no memory.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Self

from audit.store.search import Hit


class ExportFormat(StrEnum):
    """A file format of search results."""

    media_type: str

    def __new__(cls, word: str, media_type: str) -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.media_type = media_type
        return member

    JSONL = "jsonl", "application/jsonl"
    CSV = "csv", "text/csv"


CSV_COLUMNS = (
    "index",
    "at",
    "type",
    "evidence",
    "values",
    "court",
    "role",
    "purpose",
    "decision",
    "asked",
    "answered",
    "released",
    "outcome",
    "user",
    "work_order",
    "case_number",
    "parties",
)

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = frozenset("=+-@")
_QUOTES = frozenset("\"'`＂＇")
# These move the cursor to the next cell or line; no legitimate value begins with one.
_CURSOR = frozenset("\t\r\n")


def serialize(out_format: ExportFormat, hits: Iterable[Hit], *, people: bool) -> Iterator[str]:
    """The pieces of a file in one of the formats."""
    return (as_csv if out_format is ExportFormat.CSV else as_jsonl)(hits, people=people)


def as_jsonl(hits: Iterable[Hit], *, people: bool) -> Iterator[str]:
    """One JSON object a line, newest first."""
    for hit in hits:
        yield json.dumps(as_document(hit, people=people), ensure_ascii=False, separators=(",", ":")) + "\n"


def as_document(hit: Hit, *, people: bool) -> dict[str, Any]:
    """A hit as a JSON object: index, proof state, leaf, and the outcome that completes it."""
    document: dict[str, Any] = {
        "index": hit.index,
        "type": hit.type.value,
        "at": hit.at.isoformat(),
        "evidence": hit.evidence.value,
        "values": hit.values.value,
        "leaf": hit.leaf,
    }
    if people:
        document["people"] = hit.people
    document["outcome"] = None if hit.outcome is None else as_document(hit.outcome, people=people)
    return document


def as_csv(hits: Iterable[Hit], *, people: bool) -> Iterator[str]:
    """RFC 4180 with a heading; no cell can be taken for a formula."""
    columns = CSV_COLUMNS if people else CSV_COLUMNS[: CSV_COLUMNS.index("user")]
    yield csv_line(columns)
    for hit in hits:
        cells = _cells(hit)
        yield csv_line([escape_formula(str(cells[column])) for column in columns])


def _cells(hit: Hit) -> dict[str, object]:
    leaf, completing = hit.leaf, hit.outcome.leaf if hit.outcome else {}
    who, why = leaf.get("who", {}), leaf.get("why", {})
    answers = completing.get("heard", leaf.get("heard", ()))
    return {
        "index": hit.index,
        "at": hit.at.isoformat(),
        "type": hit.type.value,
        "evidence": hit.evidence.value,
        "values": hit.values.value,
        "court": who.get("court", ""),
        "role": who.get("role", ""),
        "purpose": why.get("purpose", ""),
        "decision": why.get("decision", ""),
        "asked": " ".join(leaf.get("ask", ())),
        "answered": " ".join(f"{answer['q']}:{answer['is']}" for answer in answers),
        "released": " ".join(completing.get("released", leaf.get("released", ()))),
        "outcome": completing.get("outcome", leaf.get("outcome", "")),
        "user": hit.people.get("who", {}).get("user", ""),
        "work_order": hit.people.get("why", {}).get("work_order", ""),
        "case_number": hit.people.get("why", {}).get("case_number", ""),
        "parties": " ".join(
            value.get("id_number", "") for name, value in hit.people.items() if name.startswith("whose.")
        ),
    }


def escape_formula(cell: str) -> str:
    """The cell, behind an apostrophe if a spreadsheet could take it for a formula."""
    return f"'{cell}" if cell[:1] in _CURSOR or _formula(cell) else cell


def _formula(cell: str) -> bool:
    """Some programs remove blanks, invisible signs and quotes first, and take a full-width sign for the plain one."""
    for sign in cell:
        if sign not in _QUOTES and unicodedata.category(sign)[0] not in "CZ":
            return unicodedata.normalize("NFKC", sign)[0] in _FORMULA
    return False


def csv_line(cells: Iterable[str]) -> str:
    """One line of RFC 4180."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
