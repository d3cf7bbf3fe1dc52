"""
A search's hits as JSON lines, CSV and FHIR: complete for who may see, and harmless for a spreadsheet.
"""

import base64
import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.export.fhir import as_fhir
from audit.export.formats import CSV_COLUMNS, as_csv, as_jsonl, csv_line, harmless
from audit.format.event import EventType
from audit.store.log import Log
from audit.store.search import Hit, Query, search
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


@given(
    st.text()
    | st.builds("".join, st.lists(st.sampled_from([*"=+-@＝＋－＠﹦﹢﹣﹫\t\r\n\v\f \u3000\u200b\ufeff\"'＂a1|"])))
)
def test_no_text_whatsoever_is_a_formula_in_a_spreadsheet(text: str) -> None:
    """Whatever stands before the sign, in any width; the text itself is kept behind an apostrophe."""
    cell = harmless(text)
    visible = unicodedata.normalize("NFKC", "".join(sign for sign in text if unicodedata.category(sign)[0] not in "CZ"))
    first = visible.lstrip("\"'`")[:1]

    assert cell in {text, "'" + text}
    assert cell == "'" + text or (first not in set("=+-@") and text[:1] not in set("\t\r\n"))


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_cell_is_read_back_as_it_was_written(text: str) -> None:
    """Quotes, commas and line ends are the format's, not the text's: one row, one cell."""
    line = csv_line([text, "next"])

    assert list(csv.reader(io.StringIO(line, newline=""))) == [[text, "next"]]


@pytest.mark.parametrize("cell", ["", "浙0802", "2026-03-02T01:00:00+00:00", "a=b", "（2026）浙0802民初1号", "10"])
def test_an_ordinary_value_stays_as_it_is(cell: str) -> None:
    """The guard touches nothing that is no formula."""
    assert harmless(cell) == cell


async def test_json_lines_hold_the_leaf_and_its_proof_state(hits: tuple[Hit, ...]) -> None:
    """One object a line, the outcome inside."""
    lines = [json.loads(line) for line in as_jsonl(hits, people=True)]

    assert [line["index"] for line in lines] == [2, 0]
    assert lines[1]["outcome"]["leaf"]["type"] == "lookup.outcome"
    assert lines[1]["evidence"] == "proved"
    assert lines[1]["people"]["whose.0"]["id_number"] == CANARY_ID


def fhir(hits: tuple[Hit, ...], *, people: bool) -> list[Any]:
    bundle = json.loads("".join(as_fhir(hits, origin=ORIGIN, people=people)))
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    return [entry["resource"] for entry in bundle["entry"]]


async def test_fhir_audit_events_have_what_r4_requires(hits: tuple[Hit, ...]) -> None:
    """Type, an instant with its zone, exactly one requestor, an observer; nothing empty, codes of R4's tables."""
    for people in (True, False):
        for event in fhir(hits, people=people):
            assert event["resourceType"] == "AuditEvent"
            assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", event["id"])
            assert event["type"]["system"].startswith("http")
            assert event["type"]["code"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", event["recorded"])
            assert event["action"] in set("CRUDE")
            assert event["outcome"] in {"0", "4", "8", "12"}
            assert [agent["requestor"] for agent in event["agent"]].count(True) == 1
            assert event["source"]["observer"]["identifier"]["value"] == ORIGIN
            for entity in event["entity"]:
                # Constraint sev-1: a name or a query, not both.
                assert not {"name", "query"} <= set(entity)
            assert not empty(event)


def test_a_search_that_found_nothing_is_a_bundle_without_entries() -> None:
    """An empty list would break R4."""
    assert json.loads("".join(as_fhir([], origin=ORIGIN, people=False))) == {
        "resourceType": "Bundle",
        "type": "collection",
    }


def empty(element: Any) -> bool:
    """Whether something in a FHIR element is null or empty, which R4 forbids."""
    if isinstance(element, dict | list):
        inner = element.values() if isinstance(element, dict) else element
        return not element or any(empty(one) for one in inner)
    return element is None or element == ""


async def test_fhir_tells_who_asked_about_whom_why_and_what(hits: tuple[Hit, ...]) -> None:
    """The whole mapping of one lookup: user, client and hub; purpose and policy; party, exchange and questions."""
    denied, asked = fhir(hits, people=True)
    user, client, hub = asked["agent"]
    party, transaction, query = asked["entity"]

    assert (denied["outcome"], denied["outcomeDesc"]) == ("4", "refused")
    assert (asked["outcome"], asked["outcomeDesc"], asked["action"]) == ("0", "released", "E")
    assert (asked["type"]["code"], asked["subtype"][0]["code"]) == ("rest", "lookup.intent")
    assert asked["purposeOfEvent"] == user["purposeOfUse"] == [{"text": "service_of_process"}]
    assert user["who"]["identifier"]["value"] == CANARY_USER
    assert (user["role"], user["policy"]) == ([{"text": "clerk"}], ["urn:shuniu:policy:work-order-holder/1"])
    assert user["network"] == {"address": "10.1.2.3", "type": "2"}
    assert (client["who"]["identifier"]["value"], client["type"]["coding"][0]["code"]) == ("web", "110153")
    assert (hub["who"]["identifier"]["value"], hub["type"]["coding"][0]["code"]) == (ORIGIN, "110152")
    assert (party["what"]["identifier"]["value"], party["type"]["code"]) == (CANARY_ID, "1")
    assert transaction["what"]["identifier"]["value"] == str(hits[1].exchange)
    assert base64.b64decode(query["query"]).decode().split()[0] == "public_security.identity"
    assert asked["source"]["site"] == "浙0802"


async def test_without_the_right_to_see_people_no_format_shows_any(hits: tuple[Hit, ...]) -> None:
    """Commitments stand where values would."""
    text = (
        "".join(as_jsonl(hits, people=False))
        + "".join(as_csv(hits, people=False))
        + "".join(as_fhir(hits, origin=ORIGIN, people=False))
    )

    assert not any(secret in text for secret in (CANARY_ID, CANARY_USER, CANARY_CASE))
    assert "commitment:" in text
