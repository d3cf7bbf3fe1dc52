"""
`shuniu audit search`, `erase` and `purge`: recorded first, sparing with personal values, complete.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from audit.format.event import Event, EventType, SealedPayload
from audit.sealing.keys import Keys
from audit.store.log import Log
from audit.store.reader import Reader
from audit.store.search import Hit, Query, search
from gateway.__main__ import app
from tests.audit.sample import (
    CANARY_CASE,
    CANARY_ID,
    CANARY_NAME,
    CANARY_USER,
    ORIGIN,
    START,
    Dsn,
    intent,
    outcome,
    party,
)

Run = Callable[..., Result]
LATER = START + timedelta(days=36_500)
# Ten lookups with their outcomes, the canary's as the fourth: its intent is record 6.
CANARY_AT = 6


def canary_intent() -> Event:
    event = intent(3, whose=(party(id_number=CANARY_ID, name=CANARY_NAME),))
    assert event.why is not None
    return replace(event, who=replace(event.who, user=CANARY_USER), why=replace(event.why, case_number=CANARY_CASE))


async def fill(dsn: Dsn, keys: Keys) -> None:
    log = await Log.open(dsn.hub, keys, sign_every=None)
    for n in range(10):
        event = canary_intent() if n == 3 else intent(n)
        await log.append(event)
        keep = [SealedPayload(kind="raw", body=b"answer", expires_at=START if n % 2 else LATER)]
        await log.append(outcome(event, unavailable=n == 5), payloads=keep)
    await log.aclose()


@pytest.fixture
def run(dsn: Dsn, keys: Keys, tmp_path: Path) -> Run:
    """Runs a command of `shuniu audit` on a log of ten lookups."""
    asyncio.run(fill(dsn, keys))
    environment = {
        "SHUNIU_FOLDER": str(tmp_path),
        "SHUNIU_DATABASE_URL": dsn.hub,
        "SHUNIU_ERASER_URL": dsn.eraser,
        "SHUNIU_KEYS": str(tmp_path / "keys"),
        "SHUNIU_ORIGIN": ORIGIN,
    }

    def invoke(*arguments: str, stdin: str = "", **changes: str) -> Result:
        return CliRunner().invoke(app, ["audit", *arguments], input=stdin, env=environment | changes)

    return invoke


def newest(dsn: Dsn, keys: Keys, kind: EventType) -> Hit:
    """The newest record of a type."""
    reader = Reader(dsn.hub, keys)
    hit = search(reader, Query(types=(kind,), limit=1)).hits[0]
    reader.close()
    return hit


def document(answer: Result) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(answer.stdout)
    return read


def test_a_search_shows_no_personal_value_without_a_reason(run: Run, dsn: Dsn, keys: Keys) -> None:
    """And leaves the names of its criteria in the log, with the person as a party of the record."""
    answer = run("search", "--id-type", "resident_id", "--json", stdin=CANARY_ID + "\n")
    trace = newest(dsn, keys, EventType.LOG_SEARCHED)

    assert answer.exit_code == 0
    assert [hit["index"] for hit in document(answer)["hits"]] == [CANARY_AT]
    assert not any(secret in answer.output for secret in (CANARY_ID, CANARY_NAME, CANARY_USER, CANARY_CASE))
    assert trace.leaf["detail"] == {"filters": "subject"}
    assert trace.people["whose.0"] == {"id_number": CANARY_ID}


def test_a_reason_opens_the_values_and_stands_in_the_log(run: Run, dsn: Dsn, keys: Keys) -> None:
    """One of a closed list."""
    answer = run("search", "--case", "--reason", "complaint", stdin=CANARY_CASE.replace("(", "（") + "\n")
    wrong = run("search", "--reason", "curiosity")

    assert CANARY_NAME in answer.stdout
    assert newest(dsn, keys, EventType.LOG_SEARCHED).leaf["detail"] == {
        "filters": "case_number",
        "reveal": "complaint",
    }
    assert wrong.exit_code == 2


def test_all_pages_show_the_log_before_the_search(run: Run) -> None:
    """The search's own record is no part of it, and nothing stands twice."""
    paged = run("search", "--limit", "3", "--json")
    whole = run("search", "--all", "--type", "lookup.intent", "--json")
    outcomes = run("search", "--all", "--type", "lookup.outcome", "--type", "log.searched", "--json")

    assert ([hit["index"] for hit in document(paged)["hits"]], document(paged)["next"]) == ([18, 16, 14], 14)
    assert [hit["index"] for hit in document(whole)["hits"]] == list(range(18, -1, -2))
    assert [hit["index"] for hit in document(outcomes)["hits"]] == [21, 20, *range(19, 0, -2)]


def test_an_unknown_type_is_refused_with_the_list_of_types(run: Run) -> None:
    """A sentence, not a traceback."""
    answer = run("search", "--type", "lookup.guessed")

    assert answer.exit_code == 1
    assert "lookup.intent" in str(answer.exception)


@pytest.mark.parametrize(
    ("criteria", "stdin", "hits"),
    [
        (["--id-type", "resident_id"], CANARY_ID, [6]),
        (["--case"], CANARY_CASE, [6]),
        (["--court", "浙0802", "--user", CANARY_USER], "", [6]),
        (["--court", "浙0802", "--work-order", "WO-2026-000004"], "", [8]),
        (["--state", "unavailable"], "", [10]),
        (["--agency", "human_resources", "--since", "2026-03-02T01:00:08"], "", [18, 16]),
        (["--type", "lookup.outcome", "--until", "2026-03-02T01:00:01"], "", [1]),
        (["--court", "浙0803"], "", []),
    ],
)
def test_a_deep_search_shows_that_nothing_was_left_out(
    run: Run, criteria: list[str], stdin: str, hits: list[int]
) -> None:
    """Every criterion, derived again from the bytes and the sealed values."""
    answer = run("search", "--deep", "--json", *criteria, stdin=stdin + "\n")
    reported = document(answer)

    assert answer.exit_code == 0, answer.output
    assert [hit["index"] for hit in reported["hits"]] == hits
    assert (reported["deep"]["left_out"], reported["deep"]["added"], reported["deep"]["misindexed"]) == ([], [], [])
    assert "complete: nothing was left out" in answer.stderr


def test_a_deep_search_reports_the_number_of_records(run: Run) -> None:
    """Those of the period."""
    answer = run("search", "--deep", "--since", "2026-03-02T01:00:02", "--until", "2026-03-02T01:00:05")

    assert "walked 6 records of the period" in answer.stderr


@pytest.mark.parametrize(
    ("statement", "criteria", "message"),
    [
        ("UPDATE audit.sealed SET party_mark = NULL WHERE idx = 6", ["--id-type", "resident_id"], "left out by the"),
        ("UPDATE audit.sealed SET staff_mark = 5 WHERE idx = 6", ["--user", CANARY_USER], "marks that do not follow"),
        ("UPDATE audit.entry SET type = 4 WHERE idx = 6", ["--type", "lookup.intent"], "left out by the index: 6"),
        ("UPDATE audit.entry SET court = '浙0999' WHERE idx = 6", ["--court", "浙0802"], "left out by the index: 6"),
        ("UPDATE audit.entry SET at = '1999-01-01Z' WHERE idx = 6", ["--since", "2026-01-01"], "left out by the"),
        ("UPDATE audit.entry SET states = 0 WHERE idx = 11", ["--state", "unavailable"], "left out by the index: 10"),
        ("UPDATE audit.entry SET states = 8 WHERE idx = 7", ["--state", "unavailable"], "added by the index: 6"),
        ("UPDATE audit.entry SET type = 3 WHERE idx = 0", ["--type", "lookup.denied"], "added by the index: 0"),
    ],
)
def test_a_deep_search_finds_records_missing_from_the_index(
    run: Run, dsn: Dsn, statement: str, criteria: list[str], message: str
) -> None:
    """Whatever column or mark the search went by: exit code 6 and the record's index."""
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)

    answer = run("search", "--deep", *criteria, stdin=CANARY_ID + "\n")

    assert (answer.exit_code, message in answer.stderr) == (6, True), answer.output


@pytest.mark.parametrize("out_format", ["jsonl", "csv"])
def test_a_file_format_is_recorded_as_an_export(run: Run, dsn: Dsn, keys: Keys, out_format: str) -> None:
    """With its format, and without personal values unless there is a reason."""
    plain = run("search", "--all", "--format", out_format)
    opened = run("search", "--all", "--format", out_format, "--reason", "inspection")

    assert newest(dsn, keys, EventType.LOG_EXPORTED).leaf["detail"] == {"format": out_format, "reveal": "inspection"}
    assert (CANARY_ID in plain.stdout, CANARY_ID in opened.stdout) == (False, True)


def test_a_purge_deletes_expired_payloads_and_changes_no_hash(run: Run, dsn: Dsn, keys: Keys) -> None:
    """Opened before, gone after; the leaf still commits to the answer, and the deep check is calm."""
    reader = Reader(dsn.hub, keys)
    leaves = [reader.body(index) for index in range(20)]
    retained, over = reader.body(1), reader.body(3)
    assert retained is not None
    assert over is not None
    exchanges = [search(reader, Query(before=before, limit=1)).hits[0].exchange for before in (1, 3)]
    with psycopg.connect(dsn.owner) as connection:
        # Not over yet: the time of one body is moved to a moment that comes while the test runs.
        connection.execute("UPDATE audit.kept SET expires_at = %s WHERE idx = 3", (datetime.now(UTC) + HOUR,))
    before = [reader.open_payload(exchange, "raw") for exchange in exchanges]
    first = run("purge")
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("UPDATE audit.kept SET expires_at = %s WHERE idx = 3", (datetime.now(UTC) - HOUR,))
    second, third = run("purge"), run("purge")
    after = [reader.open_payload(exchange, "raw") for exchange in exchanges]
    verified = run("verify", "--deep")
    with psycopg.connect(dsn.owner) as connection:
        rows = connection.execute("SELECT idx FROM audit.kept ORDER BY idx").fetchall()

    assert [answer.stderr for answer in (first, second, third)] == [
        f"Deleted {bodies} kept bodies.\n" for bodies in (4, 1, 0)
    ]
    assert (before, after) == ([b"answer", b"answer"], [b"answer", None])
    assert [index for (index,) in rows] == [1, 5, 9, 13, 17]
    assert [reader.body(index) for index in range(20)] == leaves
    assert json.loads(over)["digests"]
    traces = search(reader, Query(types=(EventType.LOG_ERASED,))).hits
    assert [trace.leaf["detail"] for trace in traces] == [
        {"ground": "retention", "bodies": 1},
        {"ground": "retention", "bodies": 4},
    ]
    assert (verified.exit_code, "intact: 22 entries" in verified.stdout) == (0, True)
    reader.close()


HOUR = timedelta(hours=1)


def test_a_purge_needs_the_erasers_role_and_says_so(run: Run) -> None:
    """The statement that makes one stands in the sentence."""
    answer = run("purge", SHUNIU_ERASER_URL="")

    assert (answer.exit_code, "GRANT shuniu_audit_erase" in answer.stderr) == (2, True)


def test_a_person_is_erased_only_on_demand_and_with_a_ground(run: Run, dsn: Dsn, keys: Keys) -> None:
    """Without --yes nothing happens; with it the search says that the values are gone."""
    unconfirmed = run("erase", "--ground", "pipl-47", stdin=CANARY_ID + "\n")
    erased = run("erase", "--ground", "pipl-47", "--yes", stdin=CANARY_ID + "\n")
    left = run("search", "--case", "--deep", "--json", stdin=CANARY_CASE + "\n")

    assert ("Nothing was erased" in unconfirmed.stderr, "Erased." in erased.stderr) == (True, True)
    assert newest(dsn, keys, EventType.LOG_ERASED).leaf["detail"] == {
        "ground": "pipl-47",
        "records": 2,
        "indexes": "6,7",
    }
    assert [hit["values"] for hit in document(left)["hits"]] == ["erased"]
    assert (left.exit_code, document(left)["deep"]["closed"]) == (0, 2)
