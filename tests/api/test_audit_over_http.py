"""
Auditors search the log of their court and take it along as files; every look is recorded before anything is read.
"""

import csv
import io
import json
import threading
from typing import Any
from uuid import UUID

import httpx
import pytest

from audit.format.checkpoint import read_checkpoint
from audit.sealing.keys import KeyFile
from audit.store.reader import Reader
from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import CLUSTER
from tests.court import RunningCourt

AUDITOR = "chen.jing"
Body = dict[str, Any]


@pytest.fixture
def lookup(court: RunningCourt) -> Body:
    """A lookup under a work order of its own: its number, its party, its places in the log, which are signed."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    answer = court.look_up(number, person)
    assert answer.status_code == 200
    trail = answer.json()["audit"]
    wait_until_signed(court, trail["outcome"])
    return {"number": number, "person": person, "intent": trail["intent"], "outcome": trail["outcome"]}


def wait_until_signed(court: RunningCourt, index: int) -> None:
    """The hub signs once a second by itself; fails after a bound instead of hanging."""
    stop = threading.Event()
    for _ in range(500):
        note = httpx.get(court.demo.address + "/audit/checkpoint", trust_env=False).content
        if read_checkpoint(note).size > index:
            return
        stop.wait(0.02)
    raise AssertionError("never signed")


def searched(court: RunningCourt, body: Body) -> Body:
    answer = court.call("POST", "/v1/audit/search", body, user=AUDITOR)
    assert answer.status_code == 200, answer.text
    read: Body = answer.json()
    return read


def exported(court: RunningCourt, body: Body) -> httpx.Response:
    answer = court.call("POST", "/v1/audit/exports", body, user=AUDITOR)
    assert answer.status_code == 200, answer.text
    return answer


def trace(court: RunningCourt, kind: str) -> Body:
    """The leaf of the newest record of a type."""
    leaf: Body = court.events(type=kind, limit="1")[0]["event"]
    return leaf


def of_subject(person: Body) -> Body:
    return {name: person[name] for name in ("kind", "id_type", "id_number")}


def indexes(page: Body) -> list[int]:
    return [event["index"] for event in page["events"]]


def test_a_person_is_found_with_the_proof_of_each_record(court: RunningCourt, lookup: Body) -> None:
    """Place, type, leaf, proof, what became of the values, the outcome, and the checkpoint that proofs refer to."""
    page = searched(court, {"subject": of_subject(lookup["person"]), "types": ["lookup.intent"], "limit": 1})
    (hit,) = page["events"]

    assert hit["index"] == lookup["intent"]
    assert hit["type"] == {
        "name": "lookup.intent",
        "code": "LI",
        "zh": "查询意向",
        "en": "A lookup is about to be asked",
    }
    assert (hit["event"]["type"], hit["event"]["outcome"]) == ("lookup.intent", "asked")
    assert (hit["evidence"], hit["values"], hit["people"]) == ("proved", "opened", None)
    assert (hit["outcome"]["index"], hit["outcome"]["event"]["outcome"]) == (lookup["outcome"], "released")
    assert page["checkpoint_size"] > lookup["outcome"]


def test_personal_values_are_answered_only_for_a_reason(court: RunningCourt, lookup: Body) -> None:
    """One of a closed list."""
    body = {"subject": of_subject(lookup["person"]), "work_order": lookup["number"], "types": ["lookup.intent"]}
    plain = court.call("POST", "/v1/audit/search", body, user=AUDITOR)
    opened = searched(court, body | {"reveal": {"reason": "complaint"}})
    wrong = court.call("POST", "/v1/audit/search", body | {"reveal": {"reason": "curiosity"}}, user=AUDITOR)
    (hit,) = opened["events"]

    assert not any(secret in plain.text for secret in (lookup["person"]["id_number"], lookup["person"]["name"]))
    assert indexes(plain.json()) == indexes(opened) == [lookup["intent"]]
    assert hit["people"]["whose.0"]["id_number"] == lookup["person"]["id_number"]
    assert (hit["people"]["who"]["user"], hit["people"]["why"]["work_order"]) == ("li.ting", lookup["number"])
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "reveal.reason")


def test_a_search_is_recorded_with_the_names_of_its_criteria_and_no_values(court: RunningCourt, lookup: Body) -> None:
    """Who was looked for is a commitment, the note is sealed, the reason stands in clear."""
    note = "当事人来信投诉，要求说明"
    subject = of_subject(lookup["person"])
    searched(court, {"subject": subject, "user": "li.ting", "reveal": {"reason": "complaint", "note": note}})
    leaf = trace(court, "log.searched")
    reader = Reader(str(court.demo.settings.database_url), KeyFile.load(court.demo.settings.key_folder))
    sealed_note = reader.open_payload(UUID(leaf["xid"]), "note")
    reader.close()

    assert leaf["detail"] == {"filters": "court,user,subject", "reveal": "complaint"}
    assert [sorted(party) for party in leaf["whose"]] == [["c", "id", "kind"]]
    assert (leaf["who"]["court"], leaf["outcome"]) == ("浙0802", "answered")
    assert not any(text in json.dumps(leaf, ensure_ascii=False) for text in (note, subject["id_number"], "li.ting"))
    assert sealed_note == note.encode()


def test_a_search_for_a_person_is_found_by_a_search_for_that_person(court: RunningCourt, lookup: Body) -> None:
    """But never by its own search: that shows the log as it was before."""
    body = {"subject": of_subject(lookup["person"]), "types": ["log.searched"]}
    before, after = searched(court, body), searched(court, body)

    assert len(after["events"]) == len(before["events"]) + 1
    assert all(event["type"]["name"] == "log.searched" for event in after["events"])


def test_every_criterion_narrows_the_search(court: RunningCourt, lookup: Body) -> None:
    """Work order, case in any brackets, user, agency, state, type and period."""
    at = searched(court, {"work_order": lookup["number"], "types": ["lookup.intent"]})["events"][0]["at"]

    def is_hit(**criteria: Any) -> bool:
        return lookup["intent"] in indexes(searched(court, {"limit": 200, **criteria}))

    assert is_hit(work_order=lookup["number"])
    assert is_hit(case_number="(2026)浙0802民初1877号")
    assert is_hit(case_number="（2026）浙0802民初1877号")
    assert is_hit(user="li.ting")
    assert is_hit(agency="public_security")
    assert is_hit(state="found")
    assert is_hit(since=at)
    assert not is_hit(until=at)
    assert not is_hit(user="wang.qiang")
    assert not is_hit(types=["lookup.denied"])
    assert not is_hit(state="ambiguous", work_order=lookup["number"])


def test_a_person_is_found_by_either_spelling_of_a_number(court: RunningCourt) -> None:
    """A refusal of a first-generation number stands with the person's other records."""
    stranger = court.cast["renamed"]
    eighteen = stranger["id_number"]
    fifteen = eighteen[:6] + eighteen[8:17]
    answer = court.look_up(court.dispatch(court.cast["moved"]), stranger | {"id_number": fifteen})
    subject = of_subject(stranger)

    assert (answer.status_code, eighteen[6:8]) == (403, "19")
    for number in (fifteen, eighteen):
        page = searched(court, {"subject": subject | {"id_number": number}, "types": ["lookup.denied"], "limit": 1})
        assert indexes(page) == [answer.json()["audit"]]


def test_pages_follow_each_other_without_gap_or_repeat(court: RunningCourt, lookup: Body) -> None:
    """Although every page adds a record of its own.  What other tests have left in the log is bounded by its time."""
    since = searched(court, {"user": "li.ting", "limit": 20})["events"][-1]["at"]
    asking = {"user": "li.ting", "since": since}
    whole = indexes(searched(court, asking | {"limit": 200}))
    seen: list[int] = []
    page = searched(court, asking | {"limit": 2})
    while page["next"] is not None:
        seen += indexes(page)
        page = searched(court, asking | {"limit": 2, "before": page["next"]})

    assert seen + indexes(page) == whole


def test_an_auditor_sees_the_own_court_only(court: RunningCourt, lookup: Body) -> None:
    """Another court's lookup is nowhere in the answer."""
    page = searched(court, {"limit": 200})
    courts = {event["event"]["who"]["court"] for event in page["events"]}

    assert courts == {"浙0802"}
    assert court.call("POST", "/v1/audit/search", {"court": "浙0803"}, user=AUDITOR).status_code == 422


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"subject": {"kind": "person", "id_type": "resident_id", "id_number": "330802199003071230"}}, "check_digit"),
        ({"subject": {"kind": "person", "id_type": "uscc", "id_number": "1"}}, "value_error"),
        ({"since": "2026-03-02"}, "value_error"),
        ({"since": 1795479377}, "value_error"),
        ({"types": ["lookup.guessed"]}, "enum"),
        ({"limit": 0}, "greater_than_equal"),
        ({"user": ""}, "string_too_short"),
        ({"330802199003071239": 1}, "extra_forbidden"),
    ],
)
def test_an_invalid_search_is_refused_by_its_rule_without_its_values(
    court: RunningCourt, body: Body, rule: str
) -> None:
    """422 by field and rule, without the value."""
    answer = court.call("POST", "/v1/audit/search", body, user=AUDITOR)

    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule)
    assert "33080219900307123" not in answer.text


def test_the_list_of_records_takes_the_criteria_that_are_not_personal(court: RunningCourt, lookup: Body) -> None:
    """Each record a row of its own, in the same shape."""
    rows = {row["index"]: row for row in court.events(agency="public_security", state="found")}
    denied = court.events(type="lookup.denied")
    at = rows[lookup["intent"]]["at"]

    assert {lookup["intent"], lookup["outcome"]} <= set(rows)
    assert rows[lookup["outcome"]]["type"]["code"] == "LO"
    assert all(row["event"]["type"] == "lookup.denied" for row in denied)
    assert lookup["intent"] not in {row["index"] for row in court.events(until=at)}
    assert court.call("GET", "/v1/audit/events?since=yesterday", user=AUDITOR).status_code == 422


def test_an_export_has_every_hit_up_to_the_checkpoint(court: RunningCourt, lookup: Body) -> None:
    """Every page of it, in both formats, without personal values unless there is a reason."""
    criteria = {"work_order": lookup["number"]}
    lines = exported(court, criteria | {"format": "jsonl"})
    table = exported(court, criteria | {"format": "csv"})
    opened = exported(court, criteria | {"format": "csv", "reveal": {"reason": "inspection"}})
    read = [json.loads(line) for line in lines.text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(table.text)))

    assert [answer.headers["content-type"] for answer in (lines, table)] == [
        "application/jsonl",
        "text/csv; charset=utf-8",
    ]
    assert (
        [line["index"] for line in read] == [int(row["index"]) for row in rows] == [lookup["intent"], read[-1]["index"]]
    )
    assert [line["leaf"]["type"] for line in read] == ["lookup.intent", "work_order.changed"]
    assert all(line["evidence"] == "proved" for line in read)
    number = lookup["person"]["id_number"]
    assert [number in answer.text for answer in (lines, table, opened)] == [False, False, True]
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert trace(court, "log.exported")["detail"] == {
        "filters": "court,work_order",
        "format": "csv",
        "reveal": "inspection",
    }


def test_nothing_is_shown_while_the_log_cannot_record_it(court: RunningCourt) -> None:
    """While the log cannot be written there is no answer and no first byte of a file."""
    server = EmbeddedServer(court.demo.settings.folder.resolve() / CLUSTER)
    server.halt()
    answers = [
        court.call("GET", "/v1/audit/events", user=AUDITOR),
        court.call("POST", "/v1/audit/search", {}, user=AUDITOR),
        court.call("POST", "/v1/audit/exports", {"format": "csv"}, user=AUDITOR),
    ]
    server.resume()

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [
        (503, "urn:shuniu:problem:database-unavailable")
    ] * 3


def test_an_export_of_many_pages_is_one_file(
    court: RunningCourt, lookup: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing twice, nothing left out, newest first."""
    monkeypatch.setattr("gateway.api.audit_search.EXPORT_PAGE", 3)
    monkeypatch.setattr("gateway.api.audit_search.BLOCK", 100)
    lines = exported(court, {"format": "jsonl", "types": ["work_order.changed", "lookup.intent", "lookup.outcome"]})
    indexes = [json.loads(line)["index"] for line in lines.text.splitlines()]

    assert indexes == sorted(set(indexes), reverse=True)
    assert {lookup["intent"], lookup["outcome"]} <= set(indexes)
    assert len(indexes) > 6
