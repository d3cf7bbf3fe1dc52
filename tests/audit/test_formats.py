"""
Search hits as JSON lines, and CSV: complete with the right to see people, and no formulas in a spreadsheet.
"""

import csv
import io
import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.export.formats import CSV_COLUMNS, as_csv, as_jsonl, csv_line, escape_formula
from audit.format.event import EventType
from audit.store.log import Log
from audit.store.search import Hit, Query, search
from tests.audit.sample import CANARY_CASE, CANARY_ID, CANARY_USER, canary, intent, outcome

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hits(log: Log) -> tuple[Hit, ...]:
    """One lookup of the canary with its outcome, and a refusal whose matter looks like a formula."""
    event = intent(1)
    assert event.why is not None
    lookup = replace(
        event,
        whose=(canary(),),
        who=replace(event.who, user=CANARY_USER),
        why=replace(event.why, case_number=CANARY_CASE),
    )
    await log.append(lookup)
    await log.append(outcome(lookup, unavailable=True))
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
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    """Whatever stands before the sign, in any width; the text itself is kept behind an apostrophe."""
    cell = escape_formula(text)
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
    assert escape_formula(cell) == cell


async def test_json_lines_hold_the_leaf_and_its_proof_state(hits: tuple[Hit, ...]) -> None:
    """One object a line, the outcome inside."""
    lines = [json.loads(line) for line in as_jsonl(hits, people=True)]

    assert [line["index"] for line in lines] == [2, 0]
    assert lines[1]["outcome"]["leaf"]["type"] == "lookup.outcome"
    assert lines[1]["evidence"] == "proved"
    assert lines[1]["people"]["whose.0"]["id_number"] == CANARY_ID


async def test_without_the_right_to_see_people_no_format_shows_any(hits: tuple[Hit, ...]) -> None:
    """The leaf stays, with its commitments; no value does."""
    text = "".join(as_jsonl(hits, people=False)) + "".join(as_csv(hits, people=False))

    assert not any(secret in text for secret in (CANARY_ID, CANARY_USER, CANARY_CASE))
