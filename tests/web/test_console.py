"""
The console over HTTP: who may read, what a page tells, what never stands in an address, and what is recorded.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest

from tests.court import RunningCourt
from tests.web.reader import Reader

Readers = Callable[..., Reader]

ROOMS = ["/console/events", "/console/review", "/console/reports", "/console/verify", "/console/figures"]


@pytest.fixture(scope="module")
def work_order(court: RunningCourt) -> str:
    """A lookup about a person of the demo; the number of its work order."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    assert court.look_up(number, person).status_code == 200
    return number


def test_the_auditor_arrives_at_the_log_and_reads_todays_records_as_sentences(reader: Readers, work_order: str) -> None:
    """Masked, newest first; that this was read is the newest record of the next look."""
    auditor = reader("chen.jing")
    sentences = auditor.texts(".records p")

    assert auditor.at.url.path == "/console/events"
    assert any(
        re.fullmatch(
            r"李••••••为\(2026\)浙0802…号向.+查询.••••••（3308••••••••••\d{3}[\dX]）：.+。 查询意向 · \d+", sentence
        )
        for sentence in sentences
    ), sentences
    auditor.get("/console/events")
    assert "陈••••••检索了日志" in auditor.texts(".records p")[0]


def test_all_rooms_are_there_in_both_languages_and_say_nothing_personal_in_their_titles(
    reader: Readers, work_order: str
) -> None:
    """Each with one heading."""
    for language in ("zh", "en"):
        auditor = reader("chen.jing", language=language)
        for path in ROOMS:
            assert auditor.get(path).status_code == 200, path
            assert len(auditor.texts("h1")) == 1
            assert not re.search(r"\d{6}|•|李|陈", auditor.texts("title")[0])


@pytest.mark.parametrize("user", ["li.ting", "admin", "feng.an"])
def test_the_log_is_for_the_audit_administrator_alone(reader: Readers, user: str) -> None:
    """Neither clerks nor the other administrators read it; the way there is not even shown."""
    other = reader(user)

    assert [other.get(path).status_code for path in ("/console/events", "/console/review", "/console/verify")] == [
        403
    ] * 3
    assert "/console/events" not in [str(link["href"]) for link in other.page.select(".rooms a")]


def test_a_search_for_a_person_goes_on_under_a_token(reader: Readers, court: RunningCourt, work_order: str) -> None:
    """The number is in no address; the chip shows it masked, and removes it."""
    person = court.cast["moved"]
    auditor = reader("chen.jing", language="en")
    auditor.send("form.named", id_number=person["id_number"])
    address, chip = str(auditor.at.url), auditor.texts(".chips a")

    assert re.fullmatch(r".*/console/events\?since=[\d-]+&until=[\d-]+&t=[\w-]{43}", address)
    assert person["id_number"] not in address + auditor.at.text
    assert any(text.startswith("Resident identity number 33") and "••••" in text for text in chip), chip
    assert any("looked up" in sentence for sentence in auditor.texts(".records p"))

    assert auditor.get(address.removeprefix(court.demo.address) + "&agency=&state=&type=&before=").status_code == 200
    other = reader("yang.xue")
    assert other.get(address.removeprefix(court.demo.address)).status_code == 404


def test_people_are_shown_in_full_for_a_reason_that_stands_in_the_log(
    reader: Readers, court: RunningCourt, work_order: str
) -> None:
    """And only then."""
    person = court.cast["moved"]
    auditor = reader("chen.jing", language="en")
    auditor.send("form.named", work_order=work_order, reveal="complaint", note="a complaint by letter")

    assert "People are shown in full: A complaint is examined." in auditor.text(".notice")
    assert any(person["id_number"] in sentence for sentence in auditor.texts(".records p"))
    last = [
        entry["event"] for entry in court.events(type="log.searched") if "reveal" in entry["event"].get("detail", {})
    ][-1]
    assert last["detail"] == {"filters": "since,until,court,work_order", "reveal": "complaint"}


def test_a_number_that_cannot_be_right_is_told_beside_the_form(reader: Readers) -> None:
    """422, and nothing kept."""
    auditor = reader("chen.jing", language="en")
    auditor.send("form.named", id_number="330802199001010000")

    assert auditor.at.status_code == 422
    assert auditor.texts("details[open] .notice-stop")
    assert "330802199001010000" not in auditor.at.text


def test_one_record_shows_its_times_its_proof_and_what_belongs_to_it(
    reader: Readers, court: RunningCourt, work_order: str
) -> None:
    """Four panels, the course as a picture with its table, the place in the log."""
    auditor = reader("chen.jing", language="en")
    auditor.get("/console/events?type=lookup.intent")
    link = auditor.page.select_one(".records a.told")
    assert link is not None
    auditor.get(str(link["href"]))

    assert auditor.texts(".panels h2") == ["Who", "Did what", "Whose record", "From where"]
    picture = auditor.page.select_one("svg.chart[role=img]")
    assert picture is not None
    assert picture.select_one("title") is not None
    assert "this hub" in picture.get_text()
    assert len(auditor.page.select("table tbody tr")) == 4
    shown = json.loads(auditor.page.select("pre")[-1].get_text())
    assert set(shown) == {"record", "outcome"}
    index = str(link["href"]).partition("?")[0].rpartition("/")[2]
    proof = auditor.client.get(f"/v1/audit/proof/{index}")
    assert proof.text.startswith("c2sp.org/tlog-proof@v1")
    assert auditor.get("/console/events/999999999").status_code == 404
    assert reader("yang.xue").get(f"/console/events/{index}").status_code == 404


def test_a_verification_runs_in_the_background_and_ends_with_an_honest_report(reader: Readers) -> None:
    """How many of how many, and what was not checked."""
    auditor = reader("chen.jing", language="en")
    auditor.get("/console/verify")
    auditor.send("form[action='/console/verify']")
    for _ in range(200):
        if "refresh" not in auditor.at.headers:
            break
        auditor.get(auditor.at.url.path)

    assert auditor.texts("h1") == ["Verification of the log: Intact"]
    assert re.search(r"(\d+) of \1 records of the asked range are as they were signed", auditor.text())
    assert "Not checked" in auditor.texts("h2")
    assert reader("yang.xue").get(auditor.at.url.path).status_code == 404


def test_an_export_asks_for_its_purpose_and_gives_a_bundle(
    reader: Readers, court: RunningCourt, work_order: str
) -> None:
    """Without people unless the box says so."""
    person = court.cast["moved"]
    auditor = reader("chen.jing")
    auditor.get("/console/export?type=lookup.intent")
    answer = auditor.send("main form", reason="inspection", format="csv")

    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("events.csv").startswith(b"\xef\xbb\xbf")
        assert person["id_number"].encode() not in b"".join(archive.read(name) for name in archive.namelist())
    last = court.events(type="log.exported")[-1]["event"]
    assert last["detail"] == {"filters": "since,until,court,types", "format": "csv", "purpose": "inspection"}


def test_a_report_to_a_person_is_made_by_two(reader: Readers, court: RunningCourt, work_order: str) -> None:
    """Drafted, in part withheld, released by the centre's administrator, printed without any official's name."""
    person = court.cast["moved"]
    auditor, second = reader("chen.jing", language="en"), reader("wu.fang", language="en")
    auditor.get("/console/reports")
    auditor.send("form.draft", id_number=person["id_number"], note="at the counter")
    address = auditor.at.url.path
    auditor.send("form.withhold", reason="hindrance", review_on="2027-05-01")
    waits = auditor.get(f"{address}/print").status_code

    second.get(address)
    before = second.texts("form.release button")
    second.send("form.release")
    second.get(f"{address}/print")

    assert person["id_number"] not in address + auditor.at.text + second.at.text
    assert (waits, before) == (404, ["Release this report"])
    assert second.at.status_code == 200
    assert "李婷" not in second.text("article")
    assert "Telling would hinder a statutory duty" in second.text("article")
    assert auditor.get(f"{address}/release").status_code == 405


def test_unusual_use_is_reviewed_with_a_note_and_counted_for_its_rule(reader: Readers, court: RunningCourt) -> None:
    """By person; the address of a case names nobody."""
    stranger = court.cast["renamed"]
    number = court.dispatch(court.cast["moved"])
    for _ in range(3):
        assert court.look_up(number, stranger).status_code == 403
    auditor = reader("chen.jing", language="en")
    auditor.get("/console/review")
    case = next(row for row in auditor.page.select("tbody tr") if "no work order names" in row.get_text())
    address = str(case.select_one("a")["href"])  # type: ignore[index]
    auditor.get(address)
    shown = auditor.texts("h1")
    auditor.send("form.outcome", outcome="follow_up", note="ask the group leader")

    assert re.fullmatch(r"/console/review/\d{4}-\d\d-\d\d/[0-9a-f]{64}", address)
    assert shown[0].startswith("李婷")
    assert "To be followed up · chen.jing" in auditor.text()
    auditor.get("/console/review")
    assert ["Repeated lookups of people whom no work order names", "1", "1"] in [
        [" ".join(cell.get_text().split()) for cell in row.select("td")] for row in auditor.page.select("tbody tr")
    ]


def test_figures_name_nobody_and_have_their_table_beside_them(reader: Readers, work_order: str) -> None:
    """For whoever looks after a part of the court; not for clerks."""
    region = reader("zheng.hao", language="en")
    region.get("/console/figures")

    assert len(region.page.select("svg.chart[role=img] title")) == 3
    assert len(region.page.select("table")) == 2
    assert "李" not in region.text()
    assert reader("li.ting").get("/console/figures").status_code == 403
    assert region.get("/console/figures?since=2020-01-01").status_code == 422
