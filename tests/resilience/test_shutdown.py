"""
A hub that is told to stop: what is in flight is answered and on record, nothing new is taken, nobody is left waiting.
"""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import world
from tests.resilience.court import Court, Process, start_court, until

CLIENTS = 12
ENOUGH = 60
PATHS = ("/readyz", "/healthz", "/metrics", "/v1/agencies")


@pytest.fixture(scope="module")
def court(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """A court for this module; each test runs its own hub."""
    with start_court(postgres, tmp_path_factory.mktemp("shutdown") / "hub", "shutdown", deadline=5.0) as court:
        yield court


@pytest.fixture
def slow(court: Court) -> Iterator[Court]:
    """The same with an agency that never answers: every lookup lasts as long as its deadline."""
    court.outside.fault("human_resources", "hang")
    yield court
    court.outside.heal("human_resources")


def questions(court: Court, process: Process, number: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a lookup under a work order of its own."""
    person = world.cast()["moved"]
    court.dispatch(process, number, person)
    headers = {"authorization": f"Bearer {court.outside.token(user='li.ting')}", "content-type": "application/json"}
    return headers, json.dumps(court.question(number, person)).encode()


def in_flight(court: Court, number: int) -> bool:
    """Whether so many lookups have an intent and no outcome yet."""
    begun, ended = court.lookups_on_record()
    return len(begun - ended) >= number


def connections_left(court: Court) -> int:
    """How many connections of hubs the database has; with a connection go its locks."""
    with psycopg.connect(court.owner) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return len(connection.execute(query).fetchall())


async def ask(address: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """One lookup over a connection of its own, byte for byte: what became of it, and the id of an answer."""
    parts = urlsplit(address)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except ConnectionRefusedError:
        return "refused", ""
    fields = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "content-length": len(body)}.items())
    try:
        writer.write(f"POST /v1/lookups HTTP/1.1\r\nhost: hub\r\n{fields}\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
    except (ConnectionError, asyncio.IncompleteReadError):
        return "no answer", ""
    finally:
        writer.close()
    if head.startswith(b"HTTP/1.1 200 "):
        return "answered", answer["id"]
    fate = answer["type"].rpartition(":")[2]
    told_when = b"\r\nconnection: close\r\n" in head.lower() and b"\r\nretry-after: " in head.lower()
    return fate if told_when or fate != "draining" else "draining without saying until when", ""


def test_shutdown_under_load_answers_refuses_or_closes_and_records_every_answer(
    court: Court,
) -> None:
    """Clients that ask and ask again over new connections, until nobody listens any more."""
    with court.hub() as process:
        callers = [questions(court, process, f"S-1-{number}") for number in range(CLIENTS)]
        seen: list[tuple[str, str]] = []

        async def client(headers: dict[str, str], body: bytes) -> None:
            fate = ""
            while fate not in {"refused", "no answer"}:
                fate, lookup = await ask(process.address, headers, body)
                seen.append((fate, lookup))
                if len(seen) == ENOUGH:
                    process.tell()

        async def load() -> None:
            await asyncio.gather(*(client(*caller) for caller in callers))

        asyncio.run(load())
        code = process.ended()

    begun, ended = court.lookups_on_record()
    fates = Counter(fate for fate, _ in seen)
    assert code == 0
    assert set(fates) == {"answered", "draining", "refused"}
    assert {lookup for fate, lookup in seen if fate == "answered"} == begun == ended
    assert connections_left(court) == 0
    assert [line for line in process.said if '"level": "error"' in line or "Traceback" in line] == []


def test_requests_in_flight_are_answered_while_new_ones_are_refused(slow: Court) -> None:
    """Readiness goes first, so that a proxy sends nobody here; life and figures are told to the last."""
    with slow.hub() as process:
        headers, body = questions(slow, process, "S-2")

        async def stop() -> tuple[list[tuple[str, str]], tuple[str, str], list[int]]:
            waiting = [asyncio.create_task(ask(process.address, headers, body)) for _ in range(3)]
            await asyncio.to_thread(until, lambda: in_flight(slow, 3))
            process.tell()
            await asyncio.to_thread(until, lambda: not process.ready())
            late = await ask(process.address, headers, body)
            async with httpx.AsyncClient(base_url=process.address, trust_env=False) as anybody:
                codes = [
                    (await anybody.get(path)).status_code
                    for path in ("/readyz", "/healthz", "/metrics", "/v1/agencies")
                ]
            return await asyncio.gather(*waiting), late, codes

        answered, late, codes = asyncio.run(stop())
        code = process.ended()

    begun, ended = slow.lookups_on_record()
    assert [fate for fate, _ in answered] == ["answered"] * 3
    assert {lookup for _, lookup in answered} <= begun & ended
    assert (late[0], codes, code) == ("draining", [503, 200, 200, 503], 0)


def test_a_second_signal_hastens_the_shutdown(slow: Court) -> None:
    """Whoever has no answer by then is told to come again; it was in flight, and so is known to the log."""
    with slow.hub(drain=60.0, deadline=30.0) as process:
        headers, body = questions(slow, process, "S-3")
        before = slow.lookups_on_record()

        async def stop() -> tuple[str, str]:
            waiting = asyncio.create_task(ask(process.address, headers, body))
            await asyncio.to_thread(until, lambda: in_flight(slow, 1))
            process.tell()
            await asyncio.to_thread(until, lambda: not process.ready())
            process.tell(signal.SIGINT)
            return await waiting

        fate, _ = asyncio.run(stop())
        code = process.ended()

    begun, ended = slow.lookups_on_record()
    assert (fate, code) == ("draining", 0)
    assert (len(begun - before[0]), ended) == (1, before[1])
    assert connections_left(slow) == 0
