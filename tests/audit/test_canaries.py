"""
No personal value stands anywhere in clear or as a hash that could be guessed: in tables, tiles, exports, logs, WAL.

The server of this test logs every statement with all its parameters, which is the most that an operator can make it do.
"""

import base64
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from audit.errors import RecordRefused
from audit.export.exporter import export
from audit.format.event import Event, EventType, SealedPayload
from audit.format.tiles import bundles, hash_tiles
from audit.sealing.keys import KeyFile
from audit.store import database
from audit.store.log import Log
from audit.store.search import Query, search
from audit.verify.database_source import verify_tables
from audit.verify.deep_verification import check_deep
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.canaries import forms, found_in
from tests.audit.sample import (
    CANARY_CASE,
    CANARY_ID,
    CANARY_NAME,
    CANARY_ORDER,
    CANARY_TERMINAL,
    CANARY_USER,
    ORIGIN,
    START,
    canary,
    intent,
    outcome,
)

pytestmark = pytest.mark.anyio

COURT = "浙0802"
ANSWER = f'{{"person":{{"id":"{CANARY_ID}","name":"{CANARY_NAME}","home":"canary lane 5"}}}}'
CANARIES = {
    "id": CANARY_ID,
    "name": CANARY_NAME,
    "user": CANARY_USER,
    "case": CANARY_CASE,
    "order": CANARY_ORDER,
    "terminal": CANARY_TERMINAL,
    "address": "canary lane 5",
    "answer": ANSWER,
    # What the keyed marks are made of, should anybody ever leave the key out.
    "mark of id": f"party|resident_id|{CANARY_ID}",
    "mark of user": f"staff|{COURT}|{CANARY_USER}",
    "mark of case": f"case|{CANARY_CASE}",
    "mark of order": f"order|{COURT}|{CANARY_ORDER}",
}
PLANTED = {"planted": "Planted Value 141421356"}


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of its own, which writes down every statement and parameter."""
    with EmbeddedServer(tmp_path_factory.mktemp("canaries") / "cluster") as server:
        with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
            for setting in (
                *(
                    "log_error_verbosity = 'verbose'",
                    "log_min_messages = 'debug1'",
                    "log_min_error_statement = 'debug1'",
                ),
                *("log_parameter_max_length = -1", "log_parameter_max_length_on_error = -1", "log_statement = 'all'"),
            ):
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE ROLE canary_hub LOGIN")
        server.create("canaries")
        with psycopg.connect(server.conninfo("canaries")) as connection:
            database.create(connection, ORIGIN, application="canary_hub")
        yield server


def canary_event() -> Event:
    event = intent(7, uuid4())
    assert event.why is not None
    return replace(
        event,
        whose=(canary(),),
        who=replace(event.who, user=CANARY_USER, name=CANARY_NAME, terminal=CANARY_TERMINAL),
        why=replace(event.why, case_number=CANARY_CASE, work_order=CANARY_ORDER),
    )


async def use(log: Log) -> None:
    """Everything that a hub does with a person: ask, be answered, keep, search, be refused, look again."""
    event = canary_event()
    digest = hashlib.sha256(ANSWER.encode()).digest()
    done = outcome(event)
    payloads = [
        SealedPayload(
            kind="raw", agency="public_security", body=ANSWER.encode(charset), expires_at=START + timedelta(days=36_500)
        )
        for charset in ("utf-8", "gb18030")
    ]
    await log.append(event)
    await log.append(
        replace(done, answered=tuple(replace(answer, digest=digest) for answer in done.answered)), payloads=payloads
    )
    with pytest.raises(RecordRefused):
        await log.append(replace(event, outcome="refused"))
    with pytest.raises(RecordRefused):
        await log.append(replace(canary_event(), detail={"note": CANARY_ID}))
    for n in range(300):
        await log.append(replace(canary_event(), type=list(EventType)[n % len(EventType)], exchange=uuid4()))
    await log.sign()
    for query in (
        Query(subject=canary()),
        Query(user=CANARY_USER, court=COURT),
        Query(case_number=CANARY_CASE),
        Query(work_order=CANARY_ORDER, court=COURT),
    ):
        assert search(log.reader, query).hits
    assert await log.open_payload(event.exchange, "raw") == ANSWER.encode("gb18030")
    check_deep(log.reader)
    assert verify_tables(log.reader, ORIGIN, [log.keys.signer.vkey]).findings == []


def places(server: EmbeddedServer, log: Log, exported: Path, messages: str) -> dict[str, bytes]:
    """Every place where a value might have been left, with all of its bytes."""
    tables = b""
    with psycopg.connect(server.conninfo("canaries"), autocommit=True) as connection:
        names = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 'audit%'"
        ).fetchall()
        assert len(names) >= 8
        for (name,) in names:
            for form in ("text", "binary"):
                with connection.cursor().copy(f"COPY {name} TO STDOUT (FORMAT {form})") as rows:
                    tables += b"".join(bytes(row) for row in rows)
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_switch_wal()")
    size = log.checkpoint_size
    tiles = {"bundles": bundles(size), "hash tiles": hash_tiles(size)}
    cluster = Path(server.socket) if (Path(server.socket) / "pg_wal").is_dir() else Path(server._server.pgdata)
    return {
        "tables": tables,
        **{kind: b"".join(log.reader.tile(tile) for tile in all_of) for kind, all_of in tiles.items()},
        "export": b"".join(path.read_bytes() for path in sorted(exported.rglob("*")) if path.is_file()),
        "log records": messages.encode(),
        "server log": (cluster / "log").read_bytes(),
        "WAL": b"".join(path.read_bytes().rstrip(b"\0") for path in (cluster / "pg_wal").glob("0*")),
    }


async def test_no_personal_value_is_in_any_file_and_planted_values_are_detected(
    talkative: EmbeddedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same places, read in the same way, before and after a value is put into each of them."""
    caplog.set_level(logging.DEBUG)
    keys = KeyFile.create(tmp_path / "keys", origin=ORIGIN)
    log = await Log.open(talkative.conninfo("canaries", user="canary_hub"), keys, sign_every=None)
    await use(log)
    exported = tmp_path / "export"
    export(log.reader, exported, keys.signer.vkey)

    before = places(talkative, log, exported, caplog.text)
    assert {place: leaked for place, content in before.items() if (leaked := found_in(content, CANARIES))} == {}
    assert {place for place, content in before.items() if not content} <= {"log records"}
    assert b"audit.append" in before["server log"]

    (value,) = PLANTED.values()
    logging.getLogger("audit").debug("planted: %s", value)
    (exported / "planted").write_bytes(base64.b64encode(b"x" + value.encode("gb18030")))
    with psycopg.connect(talkative.conninfo("canaries")) as connection:
        connection.execute("SET session_replication_role = replica")
        digest = hashlib.sha256(value.encode()).digest()
        connection.execute("UPDATE audit.entry SET body = %s WHERE idx = 0", (b"[" + value.encode("utf-16-le") + b"]",))
        connection.execute("UPDATE audit.entry SET leaf = %s WHERE idx = 1", (digest,))
    after = places(talkative, log, exported, caplog.text)
    await log.aclose()

    assert {place for place, content in after.items() if found_in(content, PLANTED)} == set(after)


@pytest.mark.parametrize("shift", range(3))
def test_the_search_finds_every_form_wherever_it_begins(shift: int) -> None:
    """In clear in four charsets, as base64 at every offset, as hex, and as the beginning of a hash."""
    value = "330802199001010007"
    around = b"\xf0" * shift
    for charset in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        plain = value.encode(charset)
        for content in (plain, plain.hex().encode(), plain.hex().upper().encode()):
            assert found_in(around + content + b"\xf1", {"id": value}) != []
        assert found_in(base64.b64encode(around + plain + b"tail"), {"id": value}) != []
        for algorithm in ("sha256", "sha1", "md5"):
            digest = hashlib.new(algorithm, plain).digest()[:16]
            for content in (digest, digest.hex().encode(), base64.b64encode(around + digest)):
                assert found_in(around + content + b"\xf1", {"id": value}) != []
    assert found_in(int(value).to_bytes(8), {"id": value}) == ["id as big number"]
    assert found_in(b"330802199001010008" + bytes(1000), {"id": value}) == []
    assert all(len(form) >= 8 for form in forms(value).values())
