"""
A whole court: lookups while everybody who anchors hangs, and a hub that is killed between intent and outcome.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.format.checkpoint import Cosigner
from audit.sealing.keys import KeyFile
from audit.store.log import Log
from audit.store.orphans import close_orphans
from gateway.hub import Hub
from gateway.settings import Settings
from tests.court import RunningCourt

pytestmark = pytest.mark.anyio

PATIENCE = 500


def wait_until(happened: Callable[[], bool]) -> None:
    """Waits for another process's doing, and fails after a bound instead of hanging."""
    stop = threading.Event()
    for _ in range(PATIENCE):
        if happened():
            return
        stop.wait(0.02)
    raise AssertionError("did not happen")


@contextmanager
def mocks(*names: str) -> Iterator[dict[str, str]]:
    """Mock servers in a process of their own: addresses by name."""
    command = [sys.executable, "-m", "mock_agencies", "serve", *names, "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in names]
        yield {one["server"]: one["address"] for one in told}
        process.terminate()


def anchors_file(folder: Path, authority: str) -> Path:
    """anchors.toml with an authority and a witness that both hang, asked all the time."""
    (folder / "root.pem").write_bytes(httpx.get(f"{authority}/ca.pem", trust_env=False).content)
    httpx.post(f"{authority}/_control/fault", json={"fault": "hang"}, trust_env=False).raise_for_status()
    file = folder / "anchors.toml"
    vkey = Cosigner("faulty.example/witness", bytes(32)).vkey.encode()
    file.write_text(
        "every_minutes = 0.001\n"
        f'[[timestamp]]\nname = "tsa"\nurl = "{authority}/"\nca_file = "root.pem"\n'
        # It hangs at any path, so it stands in for a witness too.
        f'[[witness]]\nname = "faulty"\nurl = "{authority}/hang"\nvkey = "{vkey}"\n'
    )
    return file


def test_every_lookup_is_answered_while_authority_and_witness_hang(court: RunningCourt, folder: Path) -> None:
    """They are being asked all the while, and nobody notices."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    with mocks("timestamping") as addresses:
        authority = addresses["timestamping"]
        settings = court.demo.settings.model_copy(update={"port": 0, "anchors": anchors_file(folder, authority)})
        with hub_process(settings) as (process, address):
            anchored = replace(court, demo=replace(court.demo, address=address))
            wait_until(lambda: asked(authority) >= 2)
            answers = [anchored.look_up(number, person).status_code for _ in range(20)]
            anchors = httpx.get(f"{address}/readyz", trust_env=False).json()["audit"]["anchors"]
            process.terminate()

    assert answers == [200] * 20
    assert [(one["size"], one["late"]) for one in anchors] == [(None, False)] * 2


def asked(authority: str) -> int:
    """How many requests have come to the authority."""
    return int(httpx.get(f"{authority}/_control/ledger", trust_env=False).json()["stamp"])


@contextmanager
def hub_process(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A hub in a process of its own, and its address."""
    given = settings.model_dump(exclude_none=True, exclude_defaults=True)
    environment = os.environ | {f"SHUNIU_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "gateway", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process, process.stderr.readline().split(" serves at ")[1].split()[0]


async def test_a_hub_killed_between_intent_and_outcome_leaves_an_orphan_that_the_next_one_closes(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """kill -9 while an agency hangs; five minutes later the intent has its end, and nothing in flight was closed."""
    settings = court.demo.settings.model_copy(update={"port": 0, "deadline": 30.0})
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "hang")
    with hub_process(settings) as (process, address):
        question = threading.Thread(target=_ask, args=(address, court, number, person))
        question.start()
        log = await Log.open(settings.database_url or "", KeyFile.load(settings.key_folder), sign_every=None)
        wait_until(lambda: bool(_open_intents(log)))
        in_flight = await close_orphans(log, datetime.now(UTC))
        process.send_signal(signal.SIGKILL)
        question.join()
    (orphan,) = _open_intents(log)
    await log.aclose()

    assert in_flight == 0
    async with await Hub.start(settings, clock=lambda: datetime.now(UTC) + timedelta(minutes=6)) as hub:
        before = len(_open_intents(hub.log))
        await hub.anchoring.close_orphans()
        (event,) = [one for one in court.events() if one["event"]["type"] == "log.orphan_closed"]

        assert (before, _open_intents(hub.log), hub.anchoring.open_orphans) == (1, [], 0)
        assert event["event"]["detail"] == {"intent": orphan}


def _ask(address: str, court: RunningCourt, number: str, party: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {court.token(user='li.ting')}"}
    body = court.question(number, party)
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{address}/v1/lookups", json=body, headers=headers, timeout=60, trust_env=False)


def _open_intents(log: Log) -> list[int]:
    query = (
        "SELECT idx FROM {schema}.entry e WHERE type = 1 AND NOT EXISTS "
        "(SELECT 1 FROM {schema}.entry o WHERE o.xid = e.xid AND o.type IN (2, 13))"
    )
    return [row[0] for row in log.reader.rows(query)]
