"""
A search's hits as JSON lines, CSV and FHIR: complete for who may see, and harmless for a spreadsheet.
"""

import csv
import io
import json
from dataclasses import replace

import pytest

from audit.event import EventType
from audit.formats import CSV_COLUMNS, as_csv, as_fhir, as_jsonl
from audit.log import Log
from audit.search import Hit, Query, search
from tests.audit.sample import CANARY_CASE, CANARY_ID, CANARY_USER, ORIGIN, canary, intent, outcome

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hits(log: Log) -> tuple[Hit, ...]:
    """One lookup of the canary with its outcome, and a refusal whose matter looks like a formula."""
    event = intent(1)
    assert event.why is not None
    asked = replace(
        event,
        whose=(canary(),),
        who=replace(event.who, user=CANARY_USER),
        why=replace(event.why, case_number=CANARY_CASE),
    )
    await log.append(asked)
    await log.append(outcome(asked, unavailable=True))
    nasty = replace(
        intent(2), type=EventType.LOOKUP_DENIED, why=replace(event.why, case_number='=cmd|"x"'), outcome="refused"
    )
    await log.append(nasty)
    await log.sign()
    return search(log.reader, Query()).hits


async def test_csv_cells_are_never_formulas(hits: tuple[Hit, ...]) -> None:
    """Read back by any reader of RFC 4180, with what was answered by whom."""
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(hits, people=True)))))

    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["case_number"] for row in rows] == ['\'=cmd|"x"', CANARY_CASE]
    assert rows[1]["answered"].endswith("human_resources.participation:unavailable")
    assert (rows[1]["user"], rows[1]["parties"], rows[1]["outcome"]) == (CANARY_USER, CANARY_ID, "released")


async def test_json_lines_hold_the_leaf_and_its_proof_state(hits: tuple[Hit, ...]) -> None:
    """One object a line, the outcome inside."""
    lines = [json.loads(line) for line in as_jsonl(hits, people=True)]

    assert [line["index"] for line in lines] == [2, 0]
    assert lines[1]["outcome"]["leaf"]["type"] == "lookup.outcome"
    assert lines[1]["evidence"] == "proved"
    assert lines[1]["people"]["whose.0"]["id_number"] == CANARY_ID


async def test_fhir_audit_events_have_what_r4_requires(hits: tuple[Hit, ...]) -> None:
    """Type, time, exactly one requestor, an observer, the party as an entity."""
    bundle = as_fhir(hits, origin=ORIGIN, people=True)
    events = [entry["resource"] for entry in bundle["entry"]]

    assert (bundle["resourceType"], len(events)) == ("Bundle", 2)
    for event in events:
        assert event["resourceType"] == "AuditEvent"
        assert event["type"]["code"] == "110112"
        assert [agent["requestor"] for agent in event["agent"]] == [True]
        assert event["source"]["observer"]["identifier"]["value"] == ORIGIN
    assert (events[0]["outcome"], events[1]["outcome"]) == ("4", "0")
    assert events[1]["entity"][0]["what"]["identifier"]["value"] == CANARY_ID


async def test_without_the_right_to_see_people_no_format_shows_any(hits: tuple[Hit, ...]) -> None:
    """Commitments stand where values would."""
    written = (
        "".join(as_jsonl(hits, people=False))
        + "".join(as_csv(hits, people=False))
        + json.dumps(as_fhir(hits, origin=ORIGIN, people=False), ensure_ascii=False)
    )

    assert not any(secret in written for secret in (CANARY_ID, CANARY_USER, CANARY_CASE))
    assert "commitment:" in written
