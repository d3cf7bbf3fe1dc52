"""
Hubs that share one database and one key, a clock that tests turn, an agency that hands out secrets, and no sleeping.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest

from adapters.wire.clock import CorrectedClock
from adapters.wire.secrets import CredentialPair, Secret
from gateway.agency_secrets import SharedSecretStore
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.database.migrations import migrate
from gateway.field_encryption import FieldEncryption

DATABASE = "secrets"
KEY = "irs:0123456789abcdef"
LIFE = 900.0
MARGIN = 60.0


class Hands:
    """A clock's hands: `skew` seconds off at the start, and turned by the test alone."""

    def __init__(self, skew: float = 0.0) -> None:
        self.now = datetime.now(UTC) + timedelta(seconds=skew)
        self.monotonic = 1000.0 + skew
        self.clock = CorrectedClock(now=lambda: self.now, monotonic=lambda: self.monotonic)

    def forward(self, seconds: float) -> None:
        """Lets time pass on both clocks."""
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds


class Naps:
    """Sleeping as the test lets it: every nap lasts until the test wakes all that sleep as long or longer."""

    def __init__(self) -> None:
        self._asleep: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        """Short naps are only a turn of the loop, long ones last until they are woken."""
        if seconds < 1:
            await asyncio.sleep(0)
            return
        nap = asyncio.get_running_loop().create_future()
        self._asleep.append((seconds, nap))
        await nap

    def wake(self) -> list[float]:
        """Wakes everybody; gives how long each wanted to sleep."""
        asleep, self._asleep = self._asleep, []
        for _, nap in asleep:
            if not nap.done():
                nap.set_result(None)
        return [seconds for seconds, _ in asleep]


class Agency:
    """Hands out numbered secrets; only the newest is accepted.  `holds` makes it hang until it is set."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.given: list[str | None] = []
        self.began = asyncio.Event()
        self.holds: asyncio.Event | None = None
        self.fails: Exception | None = None
        self.life = LIFE

    def fetch_at(self, hands: Hands) -> Callable[[CredentialPair | None, float], Any]:
        """The refresh call of a hub with these clocks."""

        async def fetch(current: CredentialPair | None, _until: float) -> CredentialPair:
            self.given.append(current.secret.text if current else None)
            self.began.set()
            if self.holds is not None:
                await self.holds.wait()
            if self.fails is not None:
                raise self.fails
            self.issued.append(f"secret-{len(self.issued) + 1}")
            return CredentialPair(
                secret=self._issued(self.issued[-1], self.life, hands), refresh=self._issued("refresh", 172_800, hands)
            )

        return fetch

    @staticmethod
    def _issued(text: str, life: float, hands: Hands) -> Secret:
        return Secret.issued(text, ends_at=hands.clock.seconds() + life, lifetime=life, clock=hands.clock)


class SharedDatabase:
    """Hubs on one database.  Whoever opens one closes it with `aclose`."""

    def __init__(self, server: EmbeddedServer, encryption: FieldEncryption) -> None:
        self.agency = Agency()
        self.naps = Naps()
        self._server = server
        self._encryption = encryption
        self._opened: list[tuple[Database, SharedSecretStore]] = []

    def hub(
        self, hands: Hands, *, encryption: FieldEncryption | None = None, timeout: float = 2.0
    ) -> SharedSecretStore:
        """One more hub; its clocks are these."""
        database = Database(self._server.url(DATABASE), timeout=timeout, connections=4)
        secrets = SharedSecretStore(database, encryption or self._encryption, clock=hands.clock, sleep=self.naps.sleep)
        secrets.register(KEY, self.agency.fetch_at(hands), margin=MARGIN)
        self._opened.append((database, secrets))
        return secrets

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What the owner of the tables does or sees."""
        with psycopg.connect(self._server.conninfo(DATABASE), autocommit=True) as owner:
            cursor = owner.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Cuts every connection to this database, and lets nobody in until the block ends."""
        with psycopg.connect(self._server.conninfo("postgres"), autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (DATABASE,))
            try:
                yield
            finally:
                owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")

    def age(self, seconds: float) -> None:
        """Lets time pass on the database's clock, as far as the row can tell."""
        self.sql(f"UPDATE agency_secret SET renewed_at = renewed_at - {seconds} * interval '1 second'")

    async def aclose(self) -> None:
        """Closes every hub."""
        for database, secrets in self._opened:
            await secrets.aclose()
            database.close()


def until(seconds: float = 20) -> float:
    """A point on the loop's clock that no test reaches."""
    return asyncio.get_running_loop().time() + seconds


_ROOTS = count(1)


@pytest.fixture(scope="session")
def tables(postgres: EmbeddedServer) -> EmbeddedServer:
    """The bundled PostgreSQL with the hub's tables."""
    postgres.create(DATABASE)
    migrate(postgres.url(DATABASE))
    return postgres


@pytest.fixture
async def shared(tables: EmbeddedServer) -> Any:
    """An empty table and no hub yet."""
    opened = SharedDatabase(tables, FieldEncryption(bytes(31) + bytes([next(_ROOTS)])))
    opened.sql("TRUNCATE agency_secret")
    yield opened
    await opened.aclose()


@pytest.fixture
def hands() -> Iterator[Hands]:
    """A clock that only the test turns."""
    return Hands()
