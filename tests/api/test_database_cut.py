"""
PostgreSQL stopped or cut in the middle of a lookup: 503, no data, and the hub recovers by itself.
"""

import threading
from collections.abc import Callable

import httpx
import psycopg
import pytest

from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import CLUSTER, DATABASE
from tests.court import RunningCourt


@pytest.fixture
def server(court: RunningCourt) -> EmbeddedServer:
    """The court's own PostgreSQL, as its superuser."""
    # The same server is running already; this is a second handle to it.
    return EmbeddedServer(court.demo.settings.folder.resolve() / CLUSTER)


def in_background(call: Callable[[], httpx.Response]) -> tuple[threading.Thread, list[httpx.Response]]:
    """Runs a call beside the test."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


def questions_to(court: RunningCourt, agency: str) -> int:
    """How many questions an agency has received."""
    ledger = httpx.get(f"{court.demo.outside.addresses[agency]}/_control/ledger", trust_env=False).json()
    return sum(ledger["requests"].values()) if "requests" in ledger else sum(ledger.values())


def wait_until(happened: Callable[[], bool]) -> None:
    """Waits for another thread's doing, and fails after a bound instead of hanging."""
    stop = threading.Event()
    for _ in range(500):
        if happened():
            return
        stop.wait(0.02)
    raise AssertionError("did not happen")


def unavailable(answer: httpx.Response) -> bool:
    """503, a problem that says so, and nothing else in it."""
    body = answer.json()
    kinds = {"urn:shuniu:problem:audit-unavailable", "urn:shuniu:problem:database-unavailable"}
    return answer.status_code == 503 and body["type"] in kinds and body["retryable"] and "retry-after" in answer.headers


def test_connections_cut_while_agencies_are_asked_release_nothing(
    court: RunningCourt, healed: Callable[..., None], server: EmbeddedServer
) -> None:
    """Every connection is killed and new ones are barred between question and outcome: 503 and no data."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "hang")
    before = questions_to(court, "human_resources")
    thread, answers = in_background(lambda: court.look_up(number, person))
    wait_until(lambda: questions_to(court, "human_resources") > before)

    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (DATABASE,))
        thread.join()
        owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")

    assert unavailable(answers[0])
    assert person["name"] not in answers[0].text
    court.demo.outside.heal("human_resources")
    wait_until(lambda: bool(court.look_up(number, person).status_code == 200))


def test_a_stopped_database_is_503_and_a_started_one_serves_again(court: RunningCourt, server: EmbeddedServer) -> None:
    """Nobody restarts the hub: it reconnects."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    health = court.demo.address + "/readyz"

    server.halt()
    refused = court.look_up(number, person)
    unready = httpx.get(health, trust_env=False)
    alive = httpx.get(court.demo.address + "/healthz", trust_env=False)
    server.resume()

    assert unavailable(refused)
    assert (unready.status_code, alive.status_code) == (503, 200)
    wait_until(lambda: httpx.get(health, trust_env=False).status_code == 200)
    wait_until(lambda: bool(court.look_up(number, person).status_code == 200))
