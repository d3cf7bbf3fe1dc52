"""
The door: acknowledged means durable, in the tree, at one place, once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from audit.errors import AuditUnavailable, LogConfigurationError, RecordRefused
from audit.format.event import Actor, Event, EventType, SealedPayload
from audit.format.tree import leaf_hash
from audit.sealing.keys import Keys
from audit.store import sequencer as sequencer_module
from audit.store.log import Log
from tests.audit import oracle
from tests.audit.sample import START, Dsn, intent, outcome, party

pytestmark = pytest.mark.anyio

OpenLog = Callable[..., Awaitable[Log]]


def stored(dsn: Dsn) -> list[tuple[int, bytes, bytes]]:
    with psycopg.connect(dsn.owner) as connection:
        return connection.execute("SELECT idx, body, leaf FROM audit.entry ORDER BY idx").fetchall()


def root(dsn: Dsn) -> bytes:
    with psycopg.connect(dsn.owner) as connection:
        row = connection.execute("SELECT size, range FROM audit.head").fetchone()
    assert row is not None
    folded = row[1][-1]
    for node in reversed(row[1][:-1]):
        folded = oracle.node(node, folded)
    return folded


async def test_records_get_adjacent_places_and_the_tree_is_that_of_their_bytes(log: Log, dsn: Dsn) -> None:
    """Index 0 is the first record; the head in the database is the tree of what is stored."""
    indexes = [await log.append(intent(n)) for n in range(5)]
    rows = stored(dsn)

    assert indexes == [0, 1, 2, 3, 4]
    assert [index for index, _, _ in rows] == indexes
    assert all(leaf_hash(body) == leaf for _, body, leaf in rows)
    assert root(dsn) == oracle.root([body for _, body, _ in rows])


async def test_concurrent_appends_share_commits_and_get_distinct_indexes(log: Log, dsn: Dsn) -> None:
    """Three hundred at once, past the first full tile."""
    events = [intent(n) for n in range(300)]
    indexes = await asyncio.gather(*(log.append(event) for event in events))
    by_index = {index: str(event.exchange) for index, event in zip(indexes, events, strict=True)}

    assert sorted(indexes) == list(range(300))
    assert all(by_index[index].encode() in body for index, body, _ in stored(dsn))
    assert root(dsn) == oracle.root([body for _, body, _ in stored(dsn)])


async def test_several_processes_append_to_one_log(open_log: OpenLog, dsn: Dsn) -> None:
    """Three logs as three replicas hold them: one sequence, one tree."""
    logs = [await open_log() for _ in range(3)]
    indexes = await asyncio.gather(*(logs[n % 3].append(intent(n)) for n in range(90)))

    assert sorted(indexes) == list(range(90))
    assert root(dsn) == oracle.root([body for _, body, _ in stored(dsn)])


async def test_a_repeated_record_is_stored_once(log: Log, dsn: Dsn) -> None:
    """An exchange has one intent: another text for it is refused, and nothing else in the batch suffers."""
    first = intent(1)
    index = await log.append(first)
    other = intent(2)
    results = await asyncio.gather(
        log.append(other), log.append(intent(1, first.exchange)), log.append(intent(3)), return_exceptions=True
    )

    assert index == 0
    assert [type(result) for result in results] == [int, RecordRefused, int]
    assert len(stored(dsn)) == 3
    assert await log.entry_index(first.exchange, EventType.LOOKUP_INTENT) == 0
    assert await log.entry_index(first.exchange, EventType.LOOKUP_OUTCOME) is None
    assert await log.entry_index(uuid4(), EventType.LOOKUP_INTENT) is None


async def test_an_event_that_cannot_be_an_entry_is_refused_before_any_question(log: Log, dsn: Dsn) -> None:
    """More than 65,535 bytes, or a detail shaped like an identifier."""
    for event in (
        intent(1, released=("field",) * 10_000),
        intent(1, detail={"note": "330802199001010011"}),
        intent(1, detail={"note": "王小明"}),
    ):
        with pytest.raises(RecordRefused):
            await log.append(event)

    assert stored(dsn) == []


async def test_payloads_are_sealed_with_their_record_and_open_again(log: Log, dsn: Dsn) -> None:
    """Raw answers by agency and capability, the result by its kind; nothing of an unknown exchange."""
    event = intent(1)
    later = START + timedelta(days=36_500)
    await log.append(event)
    await log.append(
        outcome(event),
        payloads=[
            SealedPayload(kind="raw", agency="public_security", capability="identity", body=b"first", expires_at=later),
            SealedPayload(
                kind="raw", agency="public_security", capability="identity", body=b"repeated", expires_at=later
            ),
            SealedPayload(kind="raw", agency="human_resources", capability="participation", body=b"", expires_at=later),
            SealedPayload(kind="result", body="结果".encode(), expires_at=later),
            SealedPayload(kind="expired", body=b"gone", expires_at=START),
        ],
    )

    assert await log.open_payload(event.exchange, "result") == "结果".encode()
    assert await log.open_payload(event.exchange, "raw", agency="public_security", capability="identity") == b"repeated"
    assert await log.open_payload(event.exchange, "raw", agency="human_resources", capability="participation") == b""
    assert await log.open_payload(event.exchange, "expired") is None
    assert await log.open_payload(uuid4(), "result") is None
    with psycopg.connect(dsn.owner) as connection:
        boxes = connection.execute("SELECT box FROM audit.kept").fetchall()
    assert not any(b"first" in box or "结果".encode() in box for (box,) in boxes)


async def test_events_of_every_kind_can_be_recorded(log: Log) -> None:
    """With nobody, with staff only, with several parties, with a bare outcome."""
    for kind in EventType:
        for who, whose in (
            (Actor(), ()),
            (Actor(user="u", court="浙0802"), ()),
            (Actor(terminal="t"), (party(1), party(2))),
        ):
            await log.append(Event(type=kind, exchange=uuid4(), at=START, who=who, whose=whose))

    assert await log.append(intent(1)) == 3 * len(EventType)


async def test_a_cut_connection_leaves_exactly_one_record_and_a_true_answer(log: Log, dsn: Dsn) -> None:
    """The server ends our backend again and again under load; every acknowledgement holds, nothing stands twice."""
    acknowledged: dict[int, str] = {}
    lost = 0
    stop = asyncio.Event()

    async def caller(number: int) -> None:
        nonlocal lost
        n = 0
        while not stop.is_set():
            n += 1
            event = intent(number * 1000 + n)
            try:
                acknowledged[await log.append(event)] = str(event.exchange)
            except AuditUnavailable:
                lost += 1

    async def cut() -> None:
        async with await psycopg.AsyncConnection.connect(dsn.owner, autocommit=True) as connection:
            for _ in range(10):
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'shuniu audit append' AND datname = current_database()"
                )
                until = len(acknowledged) + 20
                async with asyncio.timeout(20):
                    while len(acknowledged) < until:  # noqa: ASYNC110 - another thread makes it so
                        await asyncio.sleep(0)

    callers = [asyncio.create_task(caller(number)) for number in range(8)]
    try:
        await cut()
    finally:
        stop.set()
        await asyncio.gather(*callers)
    rows = stored(dsn)

    assert [index for index, _, _ in rows] == list(range(len(rows)))
    assert all(exchange.encode() in rows[index][1] for index, exchange in acknowledged.items())
    assert len({body for _, body, _ in rows}) == len(rows) <= len(acknowledged) + lost
    assert root(dsn) == oracle.root([body for _, body, _ in rows])


async def test_an_error_of_the_commit_itself_is_no_acknowledgement(log: Log, dsn: Dsn) -> None:
    """The row with the index has arrived by then; only what comes after it counts."""
    with psycopg.connect(dsn.owner) as connection:
        connection.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON audit.entry DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION fail()"
        )
    with pytest.raises(AuditUnavailable):
        await log.append(intent(1))
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("DROP TRIGGER late ON audit.entry")

    assert await log.append(intent(2)) == 0


async def test_a_foreign_lock_ends_the_wait_at_the_timeout(open_log: OpenLog, dsn: Dsn) -> None:
    """No record, and an honest answer, while the head is locked; all is well afterwards."""
    log = await open_log(timeout=0.3)
    with psycopg.connect(dsn.owner) as holder:
        holder.execute("SELECT 1 FROM audit.head FOR UPDATE")
        with pytest.raises(AuditUnavailable):
            await log.append(intent(1))
    async with asyncio.timeout(10):
        while True:
            try:
                await log.append(intent(2))
                break
            except AuditUnavailable:
                continue

    assert b"WO-2026" not in stored(dsn)[0][1]


async def test_more_than_the_bound_is_refused_at_once(
    open_log: OpenLog, dsn: Dsn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the queue's bound nobody waits."""
    monkeypatch.setattr(sequencer_module, "MOST_WAITING", 3)
    log = await open_log(timeout=0.5)
    with psycopg.connect(dsn.owner) as holder:
        holder.execute("SELECT 1 FROM audit.head FOR UPDATE")
        first = asyncio.create_task(log.append(intent(0)))
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        async with asyncio.timeout(10):
            while holder.execute(blocked).fetchone() == (0,):  # noqa: ASYNC110 - the server makes it so
                await asyncio.sleep(0)
        results = await asyncio.gather(*(log.append(intent(n)) for n in range(1, 6)), first, return_exceptions=True)

    refused = [str(result) for result in results if "too many" in str(result)]
    assert len(refused) == 2
    assert len(results) == 6
    assert all(isinstance(result, AuditUnavailable) for result in results)


async def test_a_weaker_durability_of_role_or_database_is_overridden(open_log: OpenLog, dsn: Dsn) -> None:
    """What was set behind an open connection's back changes nothing; a new connection is refused."""
    log = await open_log()
    with psycopg.connect(dsn.owner, autocommit=True) as connection:
        connection.execute("ALTER ROLE audit_test_hub SET synchronous_commit = off")
        try:
            assert await log.append(intent(1)) == 0
            with pytest.raises(LogConfigurationError, match="synchronous_commit"):
                await open_log()
        finally:
            connection.execute("ALTER ROLE audit_test_hub RESET synchronous_commit")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE audit.kept SET UNLOGGED", "SET LOGGED"),
        ("GRANT DELETE ON audit.entry TO audit_test_hub", "could alter"),
        ("UPDATE audit.head SET origin = 'other.example'", "only grows"),
    ],
)
async def test_refuses_to_open_a_log_that_could_be_lost_or_altered(
    dsn: Dsn, keys: Keys, statement: str, words: str
) -> None:
    """Each with the statement that mends it."""
    with psycopg.connect(dsn.owner, autocommit=True) as connection:
        if "origin" in statement:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=words):
                connection.execute(statement)
            return
        connection.execute(statement)
    with pytest.raises(LogConfigurationError, match=words):
        await Log.open(dsn.hub, keys)


async def test_refuses_a_superuser_and_a_missing_log(dsn: Dsn, keys: Keys) -> None:
    """The owner could do anything; an empty database is no log until somebody makes one."""
    with pytest.raises(LogConfigurationError, match="could alter"):
        await Log.open(dsn.owner, keys)
    with psycopg.connect(dsn.owner, autocommit=True) as connection:
        connection.execute("DROP SCHEMA audit, audit_keys CASCADE")
    with pytest.raises(LogConfigurationError, match="no audit log"):
        await Log.open(dsn.hub, keys)


async def test_a_stopped_database_raises_audit_unavailable(keys: Keys) -> None:
    """Neither a hang nor a driver's own words."""
    with pytest.raises(AuditUnavailable) as caught:
        await Log.open("host=/nonexistent user=nobody dbname=nothing", keys)
    assert caught.value.__context__ is None


def test_the_application_can_neither_change_nor_remove_anything(dsn: Dsn) -> None:
    """No right on any table, and triggers that refuse even the owner's careless hand."""
    with psycopg.connect(dsn.hub, autocommit=True) as connection:
        for statement in (
            "UPDATE audit.entry SET body = ''",
            "DELETE FROM audit.entry",
            "TRUNCATE audit.entry",
            "INSERT INTO audit.entry DEFAULT VALUES",
            "UPDATE audit.head SET size = 0",
            "DELETE FROM audit.checkpoint",
            "UPDATE audit.sealed SET party_box = NULL",
            "UPDATE audit_keys.subject_key SET wrapped = NULL",
            "DELETE FROM audit.kept",
            "SELECT audit.destroy_keys('{}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with psycopg.connect(dsn.owner, autocommit=True) as connection:
        for statement in ("UPDATE audit.entry SET body = ''", "DELETE FROM audit.entry", "TRUNCATE audit.entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                connection.execute(statement)
