"""
No identifier, name or address in a log line, in PostgreSQL's own log, or unsealed in the database.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import CLUSTER, DATABASE
from tests.court import RunningCourt


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Every logger of the process at its most talkative."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: "\n".join(
            f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.records
        )


def personal(party: dict[str, Any]) -> tuple[str, ...]:
    """What must not be seen: number, name, telephone, and every address."""
    addresses = [value["text"] for value in party.values() if isinstance(value, dict) and "text" in value]
    return (party["id_number"], party["name"], party["telephone"], *addresses)


def whole_database(cluster: Path) -> bytes:
    """The bytes of every row of every table of ours."""
    with psycopg.connect(EmbeddedServer(cluster).conninfo(DATABASE)) as owner:
        tables = owner.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        dumped = b""
        for table in tables:
            with owner.cursor().copy(
                sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(*table))
            ) as rows:
                dumped += b"".join(bytes(part) for part in rows)
    return dumped


def test_lookups_of_every_ending_leave_nothing_personal_in_logs_or_tables(
    court: RunningCourt, healed: Callable[..., None], everything_logged: Callable[[], str]
) -> None:
    """Found, refused, malformed, half answered, read again: the canaries occur nowhere."""
    person, stranger = court.cast["moved"], court.cast["stayed"]
    number = court.dispatch(person)
    lookup = court.look_up(number, person)
    endings = [
        lookup,
        court.look_up(number, stranger),
        court.look_up(number, person | {"id_number": person["id_number"][:-1] + "0"}),
        court.call("GET", f"/v1/lookups/{lookup.json()['id']}", user="li.ting"),
    ]
    for fault in ("unknown_code", "truncated", "wrong_charset", "fault"):
        healed("public_security", fault)
        endings.append(court.look_up(number, person))
        court.demo.outside.heal("public_security")

    cluster = court.demo.settings.folder.resolve() / CLUSTER
    logged = everything_logged() + (cluster / "log").read_text(errors="replace")
    stored = whole_database(cluster)

    assert [answer.status_code for answer in endings] == [200, 403, 422, 200, 200, 200, 200, 200]
    canaries = [*personal(person), *personal(stranger)]
    assert [canary for canary in canaries if canary in logged] == []
    assert [canary for canary in canaries if canary.encode() in stored] == []
    assert number.encode() in stored  # the search does find what stands there
