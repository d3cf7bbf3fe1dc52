"""
Kills hub, worker and PostgreSQL at random points under load, agencies and callbacks failing, and counts what was lost.

    python -m tests.autofill.kill_loop [--kills 300] [--rate 4] [--seed 1]

A ticket system dispatches work orders over HTTP, asks for their forms, closes a quarter of them halfway, and answers a
third of its callbacks badly; its ledger is on disk.  One process serves the API, another only works; the listening
socket outlives the one that serves, as under socket activation.  When all kills are done everybody is left in peace,
what waits for its time is called due, and the ledger is held against the hub: every accepted request has ended exactly
once, nothing came with two contents, nothing came after its work order was closed.
"""

import argparse
import asyncio
import contextlib
import io
import json
import logging
import multiprocessing
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import psycopg

from gateway.application import HubServer
from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import tree, world
from gateway.hub import Hub
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.server import bind
from gateway.settings import Settings
from mock_agencies.ticket_system.ledger import read_ledger
from mock_agencies.ticket_system.reconciliation import Reconciliation, reconcile
from shuniu_client import AsyncClient

DATABASE = "autofill_kills"
VICTIMS = ("hub", "hub", "worker", "worker", "postgres", "postgres", "hub and worker", "everything")
FAULTS = ("hang", "reset", "close_after_read", "server_error", "truncated", "latency")
PATIENCE = 240.0
# The share of kills that meet everybody at work, and not just about to start.
AT_WORK = 0.7


@dataclass
class Tally:
    """What happened in all rounds together."""

    kills: int = 0
    victims: Counter[str] = field(default_factory=Counter)
    verdict: Reconciliation | None = None

    def __str__(self) -> str:
        victims = ", ".join(f"{count} {name}" for name, count in sorted(self.victims.items())) or "nobody"
        return f"{self.kills} kills ({victims}): {self.verdict}"


def serve(settings: Settings, listener: Any) -> None:
    """The process that serves the API, sends callbacks and works a little."""
    logging.disable()
    HubServer(settings).run(sockets=[listener])


def work(settings: Settings) -> None:
    """The process that only works."""
    logging.disable()

    async def run() -> None:
        async with await Hub.start(settings):
            await asyncio.Event().wait()

    asyncio.run(run())


class Loop:
    """One court, killed again and again."""

    def __init__(
        self, postgres: EmbeddedServer, outside: world.World, folder: Path, rate: float, seed: int, lasts: float
    ) -> None:
        self.tally = Tally()
        self._postgres, self._outside, self._folder = postgres, outside, folder
        self._random = random.Random(seed)
        self.rate, self.seed, self.lasts = rate, seed, lasts
        postgres.create(DATABASE)
        settings = world.settings_of(
            outside,
            folder / "hub",
            database_url=postgres.url(DATABASE, user=APPLICATION_ROLE),
            deadline=2.0,
            autofill_pause=1.0,
        )
        create_keys(settings)
        create_tables(postgres.url(DATABASE), origin=settings.origin, application=APPLICATION_ROLE)
        tree.settle(settings)
        self._settings = settings
        self._listener = bind("127.0.0.1", 0)
        self._hub: BaseProcess | None = None
        self._worker: BaseProcess | None = None

    @property
    def address(self) -> str:
        """Where the hub is, whoever serves it at the moment."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def ledger(self) -> Path:
        """The ticket system's ledger."""
        return self._folder / "ledger.jsonl"

    def start(self) -> None:
        """Starts whoever is not running."""
        context = multiprocessing.get_context("fork")
        if self._hub is None:
            few = self._settings.model_copy(update={"workers": 4})
            self._hub = context.Process(target=serve, args=(few, self._listener), daemon=True)
            self._hub.start()
        if self._worker is None:
            many = self._settings.model_copy(update={"workers": 16})
            self._worker = context.Process(target=work, args=(many,), daemon=True)
            self._worker.start()

    def round(self) -> None:
        """Lets everybody work for a moment, disturbs the agencies, kills somebody, and starts who was killed."""
        agency, fault = self._random.choice(world.AGENCIES), self._random.choice(FAULTS)
        self._outside.fault(agency, fault, times=self._random.randint(1, 6))
        if self._random.random() < AT_WORK:
            self._until_it_serves()
        time.sleep(self._random.uniform(0.05, 1.2))
        victim = self._random.choice(VICTIMS)
        if victim in {"postgres", "everything"}:
            self._kill_postgres()
        if victim in {"hub", "hub and worker", "everything"}:
            self._hub = _killed(self._hub)
        if victim in {"worker", "hub and worker", "everything"}:
            self._worker = _killed(self._worker)
        if victim in {"postgres", "everything"}:
            self._restart_postgres()
        self.tally.kills += 1
        self.tally.victims[victim] += 1
        # A hub that met no database at its start has ended by itself.
        self._hub = self._hub if self._hub is not None and self._hub.is_alive() else None
        self._worker = self._worker if self._worker is not None and self._worker.is_alive() else None
        self.start()

    def in_peace(self) -> None:
        """Heals everybody and waits until every request has ended."""
        for agency in world.AGENCIES:
            self._outside.heal(agency)
        left, until = self._left(), time.monotonic() + PATIENCE
        while self._going_on():
            if self._left() != left:
                left, until = self._left(), time.monotonic() + PATIENCE
            assert time.monotonic() < until, f"nothing goes on any more: {self._going_on()}"
            self._hub = self._hub if self._hub is not None and self._hub.is_alive() else None
            self._worker = self._worker if self._worker is not None and self._worker.is_alive() else None
            self.start()
            # Nobody waits for hours in a test: what waits for a time of its own is called due.
            self._query(
                "UPDATE callback_delivery SET due_at = now() WHERE state = 'waiting' AND NOT claimed AND due_at > now()"
            )
            time.sleep(0.5)

    def check(self) -> None:
        """Holds the ledger against the hub, and the tables against each other."""

        async def held() -> Reconciliation:
            def token() -> str:
                return self._outside.token(client="ticket-system")

            async with AsyncClient(self.address, token) as client:
                return await reconcile(client, read_ledger(self.ledger))

        verdict = asyncio.run(held())
        self.tally.verdict = verdict
        ((requests,),) = self._query("SELECT count(*) FROM autofill")
        ((unlike,),) = self._query(
            "SELECT count(*) FROM autofill a JOIN callback_delivery d ON d.subject = a.id::text "
            "WHERE a.state <> d.state OR d.state = 'waiting'"
        )
        assert verdict.faults == [], "\n".join([*verdict.faults[:10], str(verdict)])
        assert requests == verdict.accepted, f"{requests} requests at the hub, {verdict.accepted} in the ledger"
        assert unlike == 0, f"{unlike} requests and their callbacks have ended differently"

    def stop(self) -> None:
        """Ends what runs."""
        self._hub, self._worker = _killed(self._hub), _killed(self._worker)
        self._listener.close()

    def _until_it_serves(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{self.address}/healthz", timeout=20, trust_env=False)

    def _going_on(self) -> list[tuple[Any, ...]]:
        return self._query(
            "SELECT state, count(*) FROM autofill WHERE state NOT IN ('delivered', 'cancelled', 'dead_lettered') "
            "GROUP BY 1"
        )

    def _left(self) -> int:
        return sum(count for _, count in self._going_on())

    def _query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._postgres.conninfo(DATABASE), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def _kill_postgres(self) -> None:
        postmaster = psutil.Process(self._postgres._server.get_pid())
        # Stopped first: a child that it starts while the others are listed would keep its memory in use.
        postmaster.suspend()
        family = [*postmaster.children(recursive=True), postmaster]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def _restart_postgres(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            # It may take longer to recover than its own starter waits for.
            with contextlib.suppress(subprocess.SubprocessError), contextlib.redirect_stdout(io.StringIO()):
                self._postgres.resume()
            with contextlib.suppress(psycopg.OperationalError):
                self._query("SELECT 1")
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not come back")


def _killed(process: BaseProcess | None) -> None:
    if process is not None:
        process.kill()
        process.join(10)


@dataclass(frozen=True, slots=True)
class Tickets:
    """The running ticket system."""

    process: "subprocess.Popen[str]"
    said: IO[str]

    def enough(self) -> int:
        """Lets it dispatch no more, and waits until it has ended what it had begun; how many work orders these were."""
        self.process.send_signal(signal.SIGINT)
        count: int = json.loads(self.said.readline())["asked"]
        return count


@contextlib.contextmanager
def tickets(loop: Loop, issuer: str) -> Iterator[Tickets]:
    """The ticket system at work."""
    command = [sys.executable, "-m", "mock_agencies", "ticket-system", "--hub", loop.address, "--sign-on", issuer]
    command += ["--ledger", str(loop.ledger), "--rate", str(loop.rate), "--seed", str(loop.seed)]
    command += [
        "--closing",
        "0.25",
        "--failing",
        "0.15",
        "--dropping",
        "0.1",
        "--slow",
        "0.1",
        "--lasts",
        str(loop.lasts),
    ]
    command += ["--linger", "3600", "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert "ticket_system" in process.stdout.readline(), "the ticket system did not start"
        yield Tickets(process, process.stdout)
    finally:
        # Processes that were forked meanwhile hold its stdin open.
        process.terminate()
        process.wait(timeout=30)
        process.stdin.close()
        process.stdout.close()


def run(folder: Path, *, kills: int, rate: float, seed: int, lasts: float = 45.0, verbose: bool = False) -> Tally:
    """As many rounds as asked; raises AssertionError if anything is lost or doubled."""
    with world.started() as outside, EmbeddedServer(folder / "cluster") as postgres:
        loop = Loop(postgres, outside, folder, rate, seed, lasts)
        loop.start()
        try:
            with tickets(loop, outside.issuer) as dispatching:
                for number in range(kills):
                    loop.round()
                    if verbose and (number + 1) % 10 == 0:
                        print(f"{number + 1} kills, {loop._going_on()} going on", flush=True)  # noqa: T201
                asked = dispatching.enough()
                if verbose:
                    print(f"{asked} work orders; in peace", flush=True)  # noqa: T201 - the script's own output
                loop.in_peace()
            loop.check()
        finally:
            loop.stop()
        return loop.tally


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--rate", type=float, default=4.0, help="work orders a second")
    parser.add_argument("--lasts", type=float, default=45.0, help="seconds until a form is wanted as it is")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuniu-autofill-") as temporary:
        Path(temporary).chmod(0o755)
        tally = run(
            Path(temporary),
            kills=options.kills,
            rate=options.rate,
            seed=options.seed,
            lasts=options.lasts,
            verbose=True,
        )
    print(tally)  # noqa: T201 - the script's own output


if __name__ == "__main__":
    main()
