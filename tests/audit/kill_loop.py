"""
Kills the hub, the PostgreSQL server or both at random points under load, and counts what was lost.

    python -m tests.audit.kill_loop [--kills 200] [--writers 4] [--records 500] [--seed 1]

First all hubs write that many records each without being disturbed, each signing as it goes.  After that and after
every kill: every acknowledged record stands at its place, the indexes are contiguous, no exchange has a record twice,
the root in the head is that of the leaves, every checkpoint that any hub ever showed is proved to be of this same
history, and a new hub opens the log and signs it.
"""

import argparse
import asyncio
import base64
import contextlib
import itertools
import logging
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import psycopg

from audit.errors import AuditError
from audit.format.checkpoint import Checkpoint, read_checkpoint
from audit.format.tree import verify_consistency
from audit.sealing.keys import KeyFile, Keys
from audit.store import database
from audit.store.log import Log
from audit.store.reader import Reader
from audit.verify.database_source import verify_tables
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.sample import ORIGIN, intent, outcome

ROLE = "kill_loop_hub"
DATABASE = "kill_loop"
CALLERS = 16
VICTIMS = ("hub", "postgres", "both")


@dataclass
class Tally:
    """What happened in all rounds together."""

    kills: int = 0
    acknowledged: int = 0
    entries: int = 0
    lost: int = 0
    victims: dict[str, int] = field(default_factory=dict)
    checkpoints: int = 0
    proofs: int = 0

    def __str__(self) -> str:
        victims = ", ".join(f"{count} {name}" for name, count in sorted(self.victims.items())) or "nobody"
        return (
            f"{self.kills} kills ({victims}): {self.acknowledged} records acknowledged, {self.lost} lost, "
            f"{self.entries} entries, {self.checkpoints} signed checkpoints, all consistent ({self.proofs} proofs)"
        )


def write(dsn: str, folder: str, notes: str, started: "multiprocessing.synchronize.Event", records: int) -> None:
    """
    One hub: records lookups as fast as it can, so many or until it is killed.

    Notes every acknowledgement and every new checkpoint in a file.
    """
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    left = itertools.count(records, -1) if records else itertools.repeat(1)

    async def run() -> None:
        log = await Log.open(dsn, KeyFile.load(Path(folder)), sign_every=0.05)
        shown = -1

        def show() -> None:
            nonlocal shown
            if log.checkpoint_size > shown:
                shown = log.checkpoint_size
                os.write(descriptor, b"checkpoint " + base64.b64encode(log.checkpoint) + b"\n")

        async def caller() -> None:
            while next(left) > 0:
                intended = intent(random.randrange(9000), at=datetime.now(UTC))
                for event in (intended, outcome(intended)):
                    with contextlib.suppress(AuditError):
                        index = await log.append(event)
                        os.write(descriptor, f"record {index} {event.exchange} {event.type.number}\n".encode())
                        started.set()
                    show()

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        await log.aclose()
        show()

    asyncio.run(run())


class Loop:
    """One log, killed again and again."""

    def __init__(self, server: EmbeddedServer, folder: Path, writers: int, seed: int) -> None:
        self.tally = Tally()
        self._server = server
        self._folder = folder
        self._writers = writers
        self._random = random.Random(seed)
        self._checkpoints: list[Checkpoint] = []
        self._shown: set[Checkpoint] = set()
        self._acknowledgements: dict[int, tuple[str, int]] = {}
        server.create(DATABASE)
        with psycopg.connect(server.conninfo(DATABASE)) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
            database.create(connection, ORIGIN, application=ROLE)
        self._keys: Keys = KeyFile.create(folder / "keys", origin=ORIGIN)

    @property
    def _dsn(self) -> str:
        return self._server.conninfo(DATABASE, user=ROLE)

    def together(self, records: int) -> None:
        """All hubs write so many records each, sign, and end; then every pair of checkpoints is proved."""
        hubs, _, files = self._start("together", records // 2)
        for hub in hubs:
            hub.join(60)
            assert hub.exitcode == 0, "a hub did not end well"
        self._read(files)
        shown = sorted(self._shown, key=lambda checkpoint: checkpoint.size)
        self._check()
        reader = Reader(self._dsn, self._keys, timeout=30)
        for old, new in itertools.combinations(shown, 2):
            self._prove(reader, old, new)
        reader.close()

    def round(self) -> None:
        """Starts the hubs, lets them write, kills, starts what was killed again, and checks."""
        hubs, started, files = self._start(str(self.tally.kills), 0)
        for event in started:
            assert event.wait(30), "a hub did not start to write"
        time.sleep(self._random.uniform(0, 0.25))
        victim = self._random.choice(VICTIMS)
        if victim != "hub":
            self._kill_postgres()
        if victim == "hub":
            _kill(hubs[:1])
            time.sleep(self._random.uniform(0, 0.05))
        _kill(hubs)
        if victim != "hub":
            self._restart_postgres()
        self._read(files)
        self.tally.kills += 1
        self.tally.victims[victim] = self.tally.victims.get(victim, 0) + 1
        self._check()

    def _start(
        self, name: str, records: int
    ) -> tuple[list[BaseProcess], list["multiprocessing.synchronize.Event"], list[Path]]:
        context = multiprocessing.get_context("fork")
        started = [context.Event() for _ in range(self._writers)]
        files = [self._folder / f"notes.{name}.{n}" for n in range(self._writers)]
        keys = str(self._folder / "keys")
        hubs: list[BaseProcess] = [
            context.Process(target=write, args=(self._dsn, keys, str(file), event, records), daemon=True)
            for file, event in zip(files, started, strict=True)
        ]
        for hub in hubs:
            hub.start()
        return hubs, started, files

    def _read(self, files: Sequence[Path]) -> None:
        lines = [line for file in files if file.exists() for line in file.read_text().splitlines(keepends=True)]
        # A hub that was killed may have left half a line.
        for kind, *words in (line.split() for line in lines if line.endswith("\n")):
            if kind == "record":
                self._acknowledgements[int(words[0])] = (words[1], int(words[2]))
            else:
                self._shown.add(read_checkpoint(base64.b64decode(words[0])))

    def _kill_postgres(self) -> None:
        postmaster = psutil.Process(self._server._server.get_pid())
        family = [*postmaster.children(recursive=True), postmaster]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def _restart_postgres(self) -> None:
        self._server.resume()
        for _ in range(200):
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self._server.conninfo(DATABASE)):
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not come back")

    def _check(self) -> None:
        with psycopg.connect(self._server.conninfo(DATABASE)) as connection:
            rows = connection.execute("SELECT idx, xid::text, type FROM audit.entry ORDER BY idx").fetchall()
        stored = {index: (exchange, number) for index, exchange, number in rows}
        lost = [index for index, leaf in self._acknowledgements.items() if stored.get(index) != leaf]
        self.tally.acknowledged = len(self._acknowledgements)
        self.tally.entries = len(rows)
        self.tally.lost += len(lost)
        assert not lost, f"acknowledged and lost: {lost[:5]}"
        assert list(stored) == list(range(len(rows))), "a gap"
        assert len(set(stored.values())) == len(rows), "a record twice"
        reader = Reader(self._dsn, self._keys, timeout=30)
        report = verify_tables(reader, ORIGIN, [self._keys.signer.vkey])
        assert report.findings == [], report.last_line()
        self._check_checkpoints(reader)
        reader.close()
        asyncio.run(self._open_again())

    def _check_checkpoints(self, reader: Reader) -> None:
        newest = read_checkpoint(reader.head().signed_note)
        for old in (*self._checkpoints, *self._shown):
            if old.size <= newest.size:
                self._prove(reader, old, newest)
            else:
                # Signed and shown, but the hub was killed before it was published.
                self._prove(reader, newest, old)
        self.tally.checkpoints += len(self._shown)
        self._checkpoints.append(newest)
        self._shown.clear()

    def _prove(self, reader: Reader, old: Checkpoint, new: Checkpoint) -> None:
        if not old.size:
            return
        proof = reader.consistency(old.size, new.size)
        assert verify_consistency(old.size, new.size, old.root, new.root, proof), "checkpoints contradict"
        self.tally.proofs += 1

    async def _open_again(self) -> None:
        log = await Log.open(self._dsn, self._keys, sign_every=None)
        index = await log.append(intent(1))
        self._acknowledgements[index] = await asyncio.to_thread(self._said, index)
        await log.aclose()

    def _said(self, index: int) -> tuple[str, int]:
        with psycopg.connect(self._server.conninfo(DATABASE)) as connection:
            row = connection.execute("SELECT xid::text, type FROM audit.entry WHERE idx = %s", (index,)).fetchone()
        assert row is not None
        return row[0], row[1]


def _kill(hubs: Sequence[BaseProcess]) -> None:
    for hub in hubs:
        hub.kill()
    for hub in hubs:
        hub.join(10)


def run(folder: Path, *, kills: int, writers: int, records: int, seed: int, verbose: bool = False) -> Tally:
    """As many rounds as asked; raises AssertionError at the first loss."""
    with EmbeddedServer(folder / "cluster") as server:
        loop = Loop(server, folder, writers, seed)
        if records:
            loop.together(records)
        for number in range(kills):
            loop.round()
            if verbose and (number + 1) % 10 == 0:
                print(loop.tally, flush=True)  # noqa: T201 - the script's own output
        return loop.tally


def main() -> None:
    """The long form."""
    # That connections break is the point here, and no news.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=4, help="hubs that write at once")
    parser.add_argument("--records", type=int, default=500, help="of each hub before the first kill")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuniu-kills-") as temporary:
        Path(temporary).chmod(0o755)
        tally = run(
            Path(temporary),
            kills=options.kills,
            writers=options.writers,
            records=options.records,
            seed=options.seed,
            verbose=True,
        )
    print(tally)  # noqa: T201 - the script's own output


if __name__ == "__main__":
    main()
