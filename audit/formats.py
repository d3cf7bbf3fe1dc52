"""
A search's hits as files for other tools: JSON lines, CSV, FHIR AuditEvent.

Personal values appear only where the caller may see them: `people=False` leaves them out of every format.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from audit.event import EventType
from audit.search import Hit

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

# A spreadsheet takes a cell that begins like this for a formula, whoever wrote it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_jsonl(hits: Iterable[Hit], *, people: bool) -> Iterator[str]:
    """One JSON object a line, newest first."""
    for hit in hits:
        yield json.dumps(as_document(hit, people=people), ensure_ascii=False, separators=(",", ":")) + "\n"


def as_document(hit: Hit, *, people: bool) -> dict[str, Any]:
    """A hit as a JSON object: place, proof state, leaf, and the outcome that completes it."""
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
    yield _csv_line(columns)
    for hit in hits:
        cells = _cells(hit)
        yield _csv_line([_harmless(str(cells[column])) for column in columns])


def _cells(hit: Hit) -> dict[str, object]:
    leaf, completing = hit.leaf, hit.outcome.leaf if hit.outcome else {}
    who, why = leaf.get("who", {}), leaf.get("why", {})
    heard = completing.get("heard", leaf.get("heard", ()))
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
        "answered": " ".join(f"{one['q']}:{one['is']}" for one in heard),
        "released": " ".join(completing.get("released", leaf.get("released", ()))),
        "outcome": completing.get("outcome", leaf.get("outcome", "")),
        "user": hit.people.get("who", {}).get("user", ""),
        "work_order": hit.people.get("why", {}).get("work_order", ""),
        "case_number": hit.people.get("why", {}).get("case_number", ""),
        "parties": " ".join(
            value.get("id_number", "") for name, value in hit.people.items() if name.startswith("whose.")
        ),
    }


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def as_fhir(hits: Iterable[Hit], *, origin: str, people: bool) -> dict[str, Any]:
    """
    A FHIR R4 Bundle of AuditEvent resources, shaped after IHE BALP's query events: one requestor, one source.
    """
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": _audit_event(hit, origin, people=people)} for hit in hits],
    }


_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_OUTCOMES = {"released": "0", "asked": "0", "answered": "0", "withheld": "4", "refused": "4"}
_ACTIONS = {EventType.LOOKUP_INTENT: "E", EventType.LOOKUP_OUTCOME: "E", EventType.LOG_ERASED: "D"}


def _audit_event(hit: Hit, origin: str, *, people: bool) -> dict[str, Any]:
    leaf, completing = hit.leaf, hit.outcome.leaf if hit.outcome else {}
    who, why = leaf.get("who", {}), leaf.get("why", {})
    user = hit.people.get("who", {}).get("user") if people else None
    agent: dict[str, Any] = {
        "requestor": True,
        "who": {"identifier": {"value": user or f"commitment:{who.get('c', 'none')}"}},
    }
    if "role" in who:
        agent["role"] = [{"text": who["role"]}]
    if "policy" in why:
        agent["policy"] = [f"urn:shuniu:policy:{why['policy']}"]
    if "purpose" in why:
        agent["purposeOfUse"] = [{"text": why["purpose"]}]
    return {
        "resourceType": "AuditEvent",
        "id": str(hit.exchange),
        "type": {"system": _DICOM, "code": "110112", "display": "Query"},
        "subtype": [{"system": f"urn:shuniu:{origin}", "code": hit.type.value, "display": hit.type.en}],
        "action": _ACTIONS.get(hit.type, "R"),
        "recorded": hit.at.isoformat(),
        "outcome": _OUTCOMES.get(completing.get("outcome", leaf.get("outcome", "")), "0"),
        "agent": [agent],
        "source": {"observer": {"identifier": {"value": origin}}, "site": who.get("court", "")},
        "entity": _entities(hit, people=people),
    }


def _entities(hit: Hit, *, people: bool) -> list[dict[str, Any]]:
    leaf = hit.leaf
    entities: list[dict[str, Any]] = [
        {
            "what": {"identifier": {"value": _party(hit, number, one, people=people)}},
            "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1"},
        }
        for number, one in enumerate(leaf.get("whose", ()))
    ]
    entities.append({"what": {"identifier": {"system": "urn:shuniu:exchange", "value": str(hit.exchange)}}})
    entities += [{"name": question} for question in leaf.get("ask", ())]
    return entities


def _party(hit: Hit, number: int, clear: dict[str, str], *, people: bool) -> str:
    opened = hit.people.get(f"whose.{number}", {}).get("id_number") if people else None
    return opened or f"commitment:{clear['c']}"
