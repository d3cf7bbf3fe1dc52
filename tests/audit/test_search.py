"""
Searching, the deep check, and erasing: found through keyed marks, proved against the signed tree, gone when erased.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from audit.format.event import Event, EventType, SealedPayload
from audit.sealing.keys import Keys
from audit.store.erasure import erasable, erase
from audit.store.log import Log
from audit.store.sealed_values import SealedValues
from audit.store.search import HitEvidence, Query, SearchPage, search, search_all
from audit.verify.database_source import verify_tables
from audit.verify.deep_verification import check_deep
from schemas.codes import AnswerState
from tests.audit.sample import (
    CANARY_CASE,
    CANARY_ID,
    CANARY_NAME,
    CANARY_ORDER,
    CANARY_TERMINAL,
    CANARY_USER,
    ORIGIN,
    START,
    Dsn,
    canary,
    intent,
    outcome,
    party,
)

pytestmark = pytest.mark.anyio

OF_14 = " WHERE idx = 14"

OpenLog = Callable[..., Awaitable[Log]]


def canary_event() -> Event:
    event = intent(7)
    assert event.why is not None
    return replace(
        event,
        whose=(canary(),),
        who=replace(event.who, user=CANARY_USER, terminal=CANARY_TERMINAL),
        why=replace(event.why, case_number=CANARY_CASE, work_order=CANARY_ORDER),
    )


async def record(log: Log, *events: Event) -> list[int]:
    return [await log.append(event) for event in events]


def indexes(page: SearchPage) -> list[int]:
    return [hit.index for hit in page.hits]


@pytest.fixture
async def filled(log: Log) -> Log:
    """Twenty lookups with outcomes, the canary's among them, and a refusal; signed."""
    for n in range(20):
        event = canary_event() if n == 7 else intent(n)
        await record(log, event, outcome(event, unavailable=n % 5 == 0))
    await record(log, replace(intent(99), type=EventType.LOOKUP_DENIED, asked=(), outcome="refused"))
    await log.sign()
    return log


async def test_a_person_is_found_through_the_keyed_mark_and_the_hit_is_proved(filled: Log) -> None:
    """With the values opened, checked against the leaf, and the outcome beside it."""
    page = search(filled.reader, Query(subject=canary()))
    (hit,) = page.hits

    assert (hit.index, hit.evidence, hit.values) == (14, HitEvidence.PROVED, SealedValues.OPENED)
    assert hit.people["whose.0"] == {"id_number": CANARY_ID, "name": CANARY_NAME}
    assert hit.people["why"] == {"work_order": CANARY_ORDER, "case_number": CANARY_CASE}
    assert hit.outcome is not None
    assert (hit.outcome.index, hit.outcome.leaf["released"]) == (15, ["identity", "addresses"])
    assert page.checkpoint == filled.checkpoint


async def test_every_criterion_narrows_the_search(filled: Log) -> None:
    """Staff, court, case, work order, period, type, state, agency."""

    def indexes_of(**criteria: object) -> list[int]:
        return indexes(search(filled.reader, Query(**criteria)))

    assert indexes_of(user=CANARY_USER, court="浙0802") == [14]
    assert indexes_of(case_number=CANARY_CASE) == [14]
    assert indexes_of(work_order=CANARY_ORDER, court="浙0802") == [14]
    assert indexes_of(types=(EventType.LOOKUP_DENIED,)) == [40]
    assert indexes_of(types=(EventType.LOOKUP_OUTCOME,), limit=2) == [39, 37]
    assert indexes_of(state=AnswerState.UNAVAILABLE) == [30, 20, 10, 0]
    assert indexes_of(agency="human_resources", limit=2) == [38, 36]
    assert indexes_of(agency="market_regulation") == []
    assert indexes_of(court="浙0803") == []
    assert indexes_of(since=START + timedelta(seconds=3), until=START + timedelta(seconds=5)) == [8, 6]
    assert indexes_of(subject=party(3)) == [6]
    assert indexes_of(subject=party(5000)) == []


async def test_pages_continue_where_the_last_one_ended(filled: Log) -> None:
    """Nothing twice, nothing left out, whatever is appended meanwhile."""
    seen: list[int] = []
    before = None
    while True:
        page = search(filled.reader, Query(limit=6, before=before))
        seen += indexes(page)
        await record(filled, intent(200))
        if page.next is None:
            break
        before = page.next

    assert seen == [40, *range(38, -1, -2)]


async def test_all_pages_show_the_log_of_the_first_page(filled: Log) -> None:
    """What is recorded meanwhile is on none of them, and an outcome beyond the bound completes nothing."""
    await record(filled, last := intent(300))
    seen: list[int] = []
    for page in search_all(filled.reader, Query(limit=6)):
        seen += indexes(page)
        await record(filled, intent(400))
    await record(filled, outcome(last, unavailable=True))

    assert seen == [41, 40, *range(38, -1, -2)]
    (hit,) = search(filled.reader, Query(below=42, limit=1)).hits
    assert (hit.index, hit.outcome) == (41, None)
    assert indexes(search(filled.reader, Query(below=42, state=AnswerState.UNAVAILABLE, limit=1))) == [30]
    assert 41 in indexes(search(filled.reader, Query(state=AnswerState.UNAVAILABLE)))


async def test_a_case_is_found_in_every_spelling_of_its_brackets(filled: Log) -> None:
    """A mark is made of the number, not of its typing."""
    assert indexes(search(filled.reader, Query(case_number=CANARY_CASE.replace("(", "（").replace(")", " ）")))) == [14]


async def test_a_record_that_was_altered_beyond_reading_is_a_broken_hit(filled: Log, dsn: Dsn) -> None:
    """And no end of the search."""
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        (body,) = connection.execute("SELECT body FROM audit.entry" + OF_14).fetchone() or (b"",)
        connection.execute("UPDATE audit.entry SET body = 'not a leaf'" + OF_14)
    hit = next(hit for hit in search(filled.reader, Query()).hits if hit.index == 14)
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit.entry SET body = %s" + OF_14, (body,))

    assert (hit.evidence, hit.leaf) == (HitEvidence.BROKEN, {})


def test_the_criteria_of_a_query_are_named_without_their_values() -> None:
    """What may stand in clear of a search."""
    assert Query(court="浙0802", user=CANARY_USER, subject=canary(), limit=5, before=9).criteria == (
        "court",
        "user",
        "subject",
    )


async def test_a_hit_that_no_checkpoint_covers_yet_says_so(filled: Log) -> None:
    """And is proved after the next signature."""
    await record(filled, intent(300))
    assert search(filled.reader, Query(limit=1)).hits[0].evidence is HitEvidence.NOT_YET_SIGNED
    await filled.sign()
    assert search(filled.reader, Query(limit=1)).hits[0].evidence is HitEvidence.PROVED


async def test_the_deep_check_passes_an_untouched_log(filled: Log) -> None:
    """Every value opens, every mark is right, every outcome has its intent."""
    await record(filled, intent(400))
    report = check_deep(filled.reader)

    assert report.findings() == []
    assert (report.values, report.orphans) == ({"opened": 42}, [41])


@pytest.mark.parametrize(
    ("statement", "broken", "misindexed"),
    [
        ("UPDATE audit.sealed SET party_mark = NULL WHERE idx = 14", [], [14]),
        ("UPDATE audit.sealed SET staff_mark = 5 WHERE idx = 14", [], [14]),
        ("UPDATE audit.sealed SET case_mark = 5, order_mark = 5 WHERE idx = 14", [], [14]),
        ("UPDATE audit.sealed SET party_mark = 5 WHERE idx = 15", [], [15]),
        ("DELETE FROM audit.sealed WHERE idx = 14", [14], []),
        ("UPDATE audit.sealed SET party_box = NULL WHERE idx = 14", [14], []),
        ("UPDATE audit.sealed SET party_box = (SELECT staff_box FROM audit.sealed WHERE idx = 2)" + OF_14, [14], []),
        ("INSERT INTO audit.sealed (idx, slot, party_mark) VALUES (14, 1, 5)", [], [14]),
        ("INSERT INTO audit.sealed (idx, slot, party_mark) VALUES (1000, 0, 5)", [1000], []),
    ],
)
async def test_the_deep_check_finds_every_touched_row(
    filled: Log, dsn: Dsn, statement: str, broken: list[int], misindexed: list[int]
) -> None:
    """A removed, added, moved or altered mark or box; the tree itself stays intact."""
    with psycopg.connect(dsn.owner) as connection:
        connection.execute(statement)
    report = check_deep(filled.reader)

    assert (report.broken, report.misindexed) == (broken, misindexed)


async def test_nothing_personal_stands_in_clear_anywhere(
    filled: Log, dsn: Dsn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the values nor plain hashes of them: not in any column of any table, not in the log of the process."""
    await filled.append(
        replace(canary_event(), type=EventType.RESULT_READ),
        payloads=[SealedPayload(kind="raw", body=CANARY_ID.encode(), expires_at=START + timedelta(days=36_500))],
    )
    secrets = [CANARY_ID, CANARY_NAME, CANARY_USER, CANARY_CASE, CANARY_ORDER, CANARY_TERMINAL]
    canaries = [secret.encode() for secret in secrets]
    for secret in secrets:
        for make in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512):
            digest = make(secret.encode())
            canaries += [digest.digest(), digest.hexdigest().encode()]
    with psycopg.connect(dsn.owner) as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname LIKE 'audit%'"
        ).fetchall()
        dumped = b"".join(
            bytes(cell) if isinstance(cell, bytes) else str(cell).encode()
            for (table,) in tables
            for row in connection.execute(f"SELECT * FROM {table}").fetchall()
            for cell in row
        )

    assert len(dumped) > 20_000
    assert [needle for needle in canaries if needle in dumped] == []
    assert not any(secret in caplog.text for secret in secrets)


async def test_an_erased_person_is_gone_and_every_proof_still_holds(
    open_log: OpenLog, filled: Log, dsn: Dsn, keys: Keys
) -> None:
    """The record first, then the keys: values, marks and kept bodies are gone, the tree is as it was."""
    before = filled.checkpoint
    other = await open_log()
    lookup = replace(canary_event(), exchange=uuid4())
    await other.append(lookup)
    await other.append(
        outcome(lookup),
        payloads=[SealedPayload(kind="result", body=b"answer", expires_at=START + timedelta(days=36_500))],
    )
    doomed = erasable(filled.reader, canary())
    (indexed,) = doomed.ranges()
    await record(
        filled,
        replace(
            intent(500),
            type=EventType.LOG_ERASED,
            whose=(),
            asked=(),
            outcome="erased",
            detail={"ground": "pipl-47", "records": len(doomed.indexes), "indexes": indexed},
        ),
    )
    destroyed = erase(dsn.eraser, doomed)

    assert (destroyed, indexed) == (2, "14,15,41,42")
    assert search(filled.reader, Query(subject=canary())).hits == ()
    (hit,) = search(filled.reader, Query(case_number=CANARY_CASE, before=20)).hits
    assert (hit.evidence, hit.values, hit.people.get("whose.0")) == (HitEvidence.PROVED, SealedValues.ERASED, None)
    assert await filled.open_payload(lookup.exchange, "result") is None
    assert check_deep(filled.reader).findings() == []
    report = verify_tables(filled.reader, ORIGIN, [keys.signer.vkey], against=[before])
    assert report.findings == []
    # A process that still held the key seals what comes now under a fresh one.
    again = await other.append(replace(canary_event(), exchange=uuid4()))
    assert indexes(search(filled.reader, Query(subject=canary()))) == [again]
    assert search(filled.reader, Query(subject=canary())).hits[0].values is SealedValues.OPENED


async def test_erasing_an_unknown_person_changes_nothing(filled: Log, dsn: Dsn) -> None:
    """An unknown person has no keys and no records."""
    doomed = erasable(filled.reader, party(9999))
    assert (doomed.keys, doomed.indexes, doomed.ranges()) == ((), (), ("",))
    assert erase(dsn.eraser, doomed) == 0


async def test_a_leaf_has_only_permitted_members(filled: Log) -> None:
    """The fields of an intent's and an outcome's leaf, in full."""
    hit = search(filled.reader, Query(subject=canary())).hits[0]
    read = hit.leaf
    assert hit.outcome is not None
    for name in ("who", "why"):
        assert len(read[name].pop("c")) == 44
    assert len(read["whose"][0].pop("c")) == 44

    assert read == {
        "v": 1,
        "type": "lookup.intent",
        "xid": str(hit.exchange),
        "t": int((START + timedelta(seconds=7)).timestamp() * 1_000_000),
        "who": {"court": "浙0802", "unit": "执行局", "role": "clerk", "client": "web"},
        "whose": [{"kind": "person", "id": "resident_id"}],
        "why": {
            "version": 3,
            "kind": "service",
            "purpose": "service_of_process",
            "policy": "work-order-holder/1",
            "rules": ["held_by_caller", "open", "recorded", "party_named"],
            "decision": "permit",
        },
        "ask": ["public_security.identity", "public_security.addresses", "human_resources.participation"],
        "outcome": "asked",
    }
    answer = {"q": "public_security.identity", "is": "found", "n": 1, "out": -408, "in": -30}
    assert hit.outcome.leaf["heard"][0] == answer
    assert len(hit.body) <= 600 + 80
    assert json.loads(hit.outcome.body)["outcome"] == "released"
