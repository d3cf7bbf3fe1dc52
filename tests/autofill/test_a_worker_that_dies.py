"""
A worker is killed in the middle: another goes on, asks nothing again that was answered, and ends the request once.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from gateway.demo import tour, world
from tests.autofill.conftest import Forms
from tests.court import RunningCourt


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCourt]:
    """A court whose hub leaves the work to others; an agency that hangs does so until its worker is killed."""
    changes = {"deadline": 20.0, "autofill_pause": 0.2, "workers": 0}
    with tour.court(tmp_path_factory.mktemp("quiet") / "hub", **changes) as court:
        yield RunningCourt(demo=court, cast=world.cast(), numbers=count(1))


@contextmanager
def worker(court: RunningCourt, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """One worker process of this court."""
    settings = court.demo.settings
    told = {
        "SHUNIU_FOLDER": settings.folder,
        "SHUNIU_DATABASE_URL": settings.database_url,
        "SHUNIU_AGENCIES": settings.agencies,
        "SHUNIU_CREDENTIALS": settings.credentials,
        "SHUNIU_SIGN_ON_ISSUER": settings.sign_on_issuer,
        "SHUNIU_ORIGIN": settings.origin,
        "SHUNIU_DEADLINE": settings.deadline,
        "SHUNIU_AUTOFILL_PAUSE": settings.autofill_pause,
        "SHUNIU_WORKER_SILENCE": 1,
    }
    command = [sys.executable, "-m", "gateway", "worker"]
    environment = os.environ | {name: str(value) for name, value in told.items()}
    with (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=log, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_what_was_answered_is_not_asked_again_and_the_request_ends_once(quiet: RunningCourt, folder: Path) -> None:
    """Killed while one agency hangs and another has answered about the other party."""
    forms = Forms(quiet, quiet.token(client="ticket-system"))
    quiet.demo.outside.fault("market_regulation", "hang")
    _, name = forms.dispatched(quiet.cast["stayed"], quiet.cast["company_abnormal"])
    with worker(quiet, folder) as first:
        forms.until(name, lambda found: found["state"] == "running")
        while not [one for one in quiet.events(type="lookup.intent") if asks(one, "market_regulation.registration")]:
            time.sleep(0.1)
        first.kill()
    quiet.demo.outside.heal("market_regulation")
    with worker(quiet, folder):
        found = forms.ended(name)

    assert (found["state"], found["result"]["complete"]) == ("filled", True)
    events = [one["event"] for one in quiet.events() if one["event"].get("detail", {}).get("autofill") == name]
    outcomes = Counter(answer["q"] for one in events if one["type"] == "lookup.outcome" for answer in one["heard"])
    assert max(outcomes.values()) == 1
    ends = Counter(one["event"]["type"] for one in quiet.events() if one["event"]["xid"] == name)
    assert ends == {"autofill.accepted": 1, "autofill.finished": 1}


def test_the_queue_knows_ids_and_nothing_of_anybody(quiet: RunningCourt, folder: Path) -> None:
    """Neither its jobs nor its log, which would keep texts and tracebacks of failures."""
    forms = Forms(quiet, quiet.token(client="ticket-system"))
    with worker(quiet, folder):
        _, name = forms.dispatched(quiet.cast["stayed"])
        forms.ended(name)
    with psycopg.connect(str(quiet.demo.settings.owner_url).replace("+psycopg", "")) as connection:
        log = connection.execute("SELECT count(*), count(traceback) FROM pgqueuer_log").fetchone()
        jobs = connection.execute("SELECT count(*) FROM pgqueuer WHERE length(payload) <> 16 OR headers <> '{}'")

        assert log is not None
        assert log[0] > 0
        assert log[1] == 0
        assert jobs.fetchone() == (0,)


def asks(hit: dict[str, dict[str, list[str]]], question: str) -> bool:
    """Whether a lookup was about to ask this."""
    return question in hit["event"].get("ask", [])
