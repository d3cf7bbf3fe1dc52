"""
A whole court as an operator has it: agencies, sign-on and PostgreSQL run, and `shuniu serve` is a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import tour, tree, world
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.settings import Settings

READY_SECONDS = 60


@dataclass(slots=True)
class Process:
    """A `shuniu serve`: where it is, and what it said."""

    running: subprocess.Popen[str]
    address: str = ""
    said: list[str] = field(default_factory=list)

    def tell(self, ending: signal.Signals = signal.SIGTERM) -> None:
        """Sends it a signal."""
        self.running.send_signal(ending)

    def ended(self) -> int:
        """Waits for its end; its exit code."""
        return self.running.wait(timeout=READY_SECONDS)

    def ready(self) -> bool:
        """Whether it says that it is."""
        try:
            return httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """An installation whose hub is not running yet."""

    outside: world.World
    settings: Settings
    owner: str

    @contextmanager
    def hub(self, *, ready: bool = True, **changes: Any) -> Iterator[Process]:
        """The hub as a process; with `ready` it answers when the block begins."""
        command = [str(Path(sys.executable).parent / "shuniu"), "serve", "--port", "0"]
        environment = os.environ | _variables(self.settings.model_copy(update=changes))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
            process = Process(running)
            listening = threading.Thread(target=_listen, args=(process,), daemon=True)
            listening.start()
            try:
                if ready:
                    until(lambda: bool(process.address) or running.poll() is not None)
                    until(lambda: process.ready() or running.poll() is not None)
                yield process
            finally:
                if running.poll() is None:
                    running.kill()
                running.wait()
                listening.join()

    def dispatch(self, process: Process, number: str, *parties: dict[str, Any]) -> None:
        """States a work order of the clerk li.ting."""
        answer = self.call(
            process, "PUT", f"/v1/work-orders/{number}", tour.work_order(*parties), client="ticket-system"
        )
        assert answer.status_code == 200, answer.text

    def look_up(self, process: Process, number: str, party: dict[str, Any]) -> httpx.Response:
        """Everything about a party."""
        return self.call(process, "POST", "/v1/lookups", self.question(number, party), user="li.ting")

    @staticmethod
    def question(number: str, party: dict[str, Any]) -> dict[str, Any]:
        """The body of a lookup."""
        return {"work_order": number, "subject": tour.subject(party), "want": list(tour.WANT)}

    def call(self, process: Process, method: str, path: str, body: Any = None, **who: str) -> httpx.Response:
        """A call as somebody (`user=` or `client=`)."""
        headers = {"Authorization": f"Bearer {self.outside.token(**who)}"}
        return httpx.request(method, process.address + path, json=body, headers=headers, timeout=30, trust_env=False)

    def lookups_on_record(self) -> tuple[set[str], set[str]]:
        """The exchanges that have an intent, and those that have an outcome, as the database has them."""
        with psycopg.connect(self.owner) as connection:
            rows = connection.execute("SELECT type, xid::text FROM audit.entry WHERE type IN (1, 2)").fetchall()
        return {xid for kind, xid in rows if kind == 1}, {xid for kind, xid in rows if kind == 2}


@contextmanager
def start_court(postgres: EmbeddedServer, folder: Path, database: str, **changes: Any) -> Iterator[Court]:
    """A new court on the session's PostgreSQL, with everybody outside up."""
    with world.started() as outside:
        yield installed(outside, postgres, folder, database, **changes)


def installed(outside: world.World, postgres: EmbeddedServer, folder: Path, database: str, **changes: Any) -> Court:
    """An installation in this world, whoever in it may be up."""
    postgres.create(database)
    url = postgres.url(database, user=APPLICATION_ROLE)
    settings = world.settings_of(outside, folder, database_url=url, **changes)
    create_keys(settings)
    create_tables(postgres.url(database), origin=settings.origin, application=APPLICATION_ROLE)
    tree.settle(settings)
    return Court(outside=outside, settings=settings, owner=postgres.conninfo(database))


def until(happened: Callable[[], bool]) -> None:
    """Waits for something that has no event."""
    end = time.monotonic() + READY_SECONDS
    while not happened():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def _listen(process: Process) -> None:
    assert process.running.stderr is not None
    for line in process.running.stderr:
        process.said.append(line)
        if "serves at " in line:
            process.address = line.partition("serves at ")[2].split()[0]


def _variables(settings: Settings) -> dict[str, str]:
    variables = settings.model_dump(mode="json", exclude_defaults=True).items()
    return {
        f"SHUNIU_{name.upper()}": value if isinstance(value, str) else json.dumps(value) for name, value in variables
    }
