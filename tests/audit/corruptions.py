"""
Logs in the hands of somebody who owns the database: damage is done in a transaction that is rolled back.

Each size is made once per session; whichever files use them run in one process (tests/scheduling.py).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from audit.sealing.keys import KeyFile, Keys
from audit.store.reader import Reader
from audit.verify.database_source import verify_tables
from audit.verify.verifier import Damage, VerificationReport, VerificationVerdict
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.logs import HUB_ROLE, TEMPLATE, fill, sign
from tests.audit.sample import ORIGIN

SIZES = (0, 1, 255, 256, 257, 70_000)

Found = tuple[Damage, int | None, int | None]


@dataclass(frozen=True)
class IntactLog:
    """One log: how it is reached as owner, its keys, and its checkpoints at half and at full size."""

    owner: str
    keys: Keys
    size: int
    half: bytes
    full: bytes


class UncommittedReader(Reader):
    """Reads what is there inside a transaction that nobody else will ever see."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], intact: IntactLog) -> None:
        super().__init__(intact.owner, intact.keys)
        self.inside = connection

    @contextlib.contextmanager
    def connection(self, *, snapshot: bool = False) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        yield self.inside


class CorruptedLog:
    """A log whose owner does as told, and what the verifier says."""

    def __init__(self, reader: UncommittedReader, intact: IntactLog) -> None:
        self.reader, self.kept, self.size = reader, intact, intact.size

    def report(self, *statements: str, against: tuple[bytes, ...] = ()) -> VerificationReport:
        with self.reader.inside.transaction(force_rollback=True):
            for statement in statements:
                self.reader.inside.execute(statement)
            return verify_tables(self.reader, ORIGIN, [self.kept.keys.signer.vkey], against=against)

    def found(self, *statements: str, against: tuple[bytes, ...] = ()) -> list[Found]:
        report = self.report(*statements, against=against)
        assert report.verdict is (VerificationVerdict.ALTERED if report.findings else VerificationVerdict.INTACT)
        return [(finding.damage, finding.first, finding.last) for finding in report.findings]

    @property
    def places(self) -> list[int]:
        """The first, a middle and the last index."""
        return sorted({0, self.size // 2, self.size - 1})

    def around(self, *indexes: int) -> list[Found]:
        """
        Entries whose own hashes are worth nothing, each in the smallest subtree whose hash is stored as well.

        That is a full tile, or at the edge a perfect subtree; and where this holds one entry, it is found exactly.
        """
        ranges = set()
        for index in indexes:
            tile = index // 256 * 256
            ranges.add((tile, tile + 255) if tile + 256 <= self.size else self.peak(index))
        return [(Damage.ENTRY if first == last else Damage.RANGE, first, last) for first, last in sorted(ranges)]

    def peak(self, index: int) -> tuple[int, int]:
        """The perfect subtree under the root that holds an entry."""
        start = 0
        while True:
            width = 1 << ((self.size - start).bit_length() - 1)
            if index < start + width:
                return start, start + width - 1
            start += width


@pytest.fixture(scope="session")
def make_intact(log_template: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], IntactLog]:
    """Makes a log of a size, once."""
    made: dict[int, IntactLog] = {}

    def log_of_size(size: int) -> IntactLog:
        if size not in made:
            name = f"damaged_{size}"
            log_template.create(name, template=TEMPLATE)
            hub = log_template.conninfo(name, user=HUB_ROLE)
            keys = KeyFile.create(Path(tmp_path_factory.mktemp(name)) / "keys", origin=ORIGIN)
            fill(hub, keys, size // 2)
            half = asyncio.run(sign(hub, keys))
            fill(hub, keys, size, start=size // 2)
            made[size] = IntactLog(log_template.conninfo(name), keys, size, half, asyncio.run(sign(hub, keys)))
        return made[size]

    return log_of_size


@pytest.fixture(params=SIZES)
def spoiled(request: pytest.FixtureRequest, make_intact: Callable[[int], IntactLog]) -> Iterator[CorruptedLog]:
    """A log of each size, in the hands of its database's owner."""
    intact = make_intact(request.param)
    with psycopg.connect(intact.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        checks = "SELECT conname FROM pg_constraint WHERE conrelid = 'audit.head'::regclass AND contype = 'c'"
        for (name,) in connection.execute(checks).fetchall():
            connection.execute(f"ALTER TABLE audit.head DROP CONSTRAINT {name}")
        reader = UncommittedReader(connection, intact)
        yield CorruptedLog(reader, intact)
        reader.close()
        connection.rollback()
