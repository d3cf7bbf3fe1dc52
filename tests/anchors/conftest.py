"""
Fresh courts, and a timestamping authority.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.database.embedded_server import EmbeddedServer
from mock_agencies.serving import serving
from tests.anchors.courts import Court, call, install

_NUMBERS = itertools.count(1)


@pytest.fixture
def found(postgres: EmbeddedServer, folder: Path) -> Iterator[Callable[[str], Court]]:
    """Founds courts by name."""
    databases: list[str] = []
    courts: list[Court] = []

    def one(name: str) -> Court:
        databases.append(f"anchors_{next(_NUMBERS)}")
        courts.append(install(postgres, folder / name, databases[-1]))
        return courts[-1]

    yield one
    for court in courts:
        court.listener.close()
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        for database in databases:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


class Authority:
    """A timestamping authority on a socket, and its root in a file."""

    def __init__(self, address: str, roots: Path) -> None:
        self.address = address
        self.roots = roots

    def table(self) -> str:
        """How a court names it."""
        return f'[[timestamp]]\nname = "tsa"\nurl = "{self.address}/"\nca_file = "{self.roots}"\n'

    async def fault(self, name: str | None) -> None:
        """Arms a fault, or ends it."""
        (await call("POST", f"{self.address}/_control/fault", json={"fault": name})).raise_for_status()

    async def asked(self) -> int:
        """How many requests came."""
        return int((await call("GET", f"{self.address}/_control/ledger")).json()["stamp"])


@pytest.fixture
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """A fresh timestamping authority."""
    async with serving(["timestamping"]) as servers:
        address = servers["timestamping"].address
        (folder / "tsa-root.pem").write_bytes((await call("GET", f"{address}/ca.pem")).content)
        yield Authority(address, folder / "tsa-root.pem")
