"""
A fresh log for every test, and the whole tree re-derived after it.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from audit.sealing.keys import KeyFile, Keys
from audit.store import database
from audit.store.log import Log
from audit.store.reader import Reader
from audit.verify.database_source import verify_tables
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.corruptions import make_intact, spoiled
from tests.audit.folders import corrupt, originals
from tests.audit.logs import ERASER_ROLE, HUB_ROLE, TEMPLATE
from tests.audit.sample import ORIGIN, Dsn

__all__ = ["corrupt", "make_intact", "originals", "spoiled"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def log_template(postgres: EmbeddedServer) -> EmbeddedServer:
    """A database with an empty log, to be copied."""
    if postgres.create(TEMPLATE):
        with psycopg.connect(postgres.conninfo(TEMPLATE)) as connection:
            for role in (HUB_ROLE, ERASER_ROLE):
                connection.execute(f"CREATE ROLE {role} LOGIN")
            database.create(connection, ORIGIN, application=HUB_ROLE)
            connection.execute(f"GRANT {database.ERASE_ROLE} TO {ERASER_ROLE}")
            connection.execute(f"GRANT {database.APPEND_ROLE} TO {ERASER_ROLE}")
    return postgres


@pytest.fixture
def dsn(log_template: EmbeddedServer) -> Iterator[Dsn]:
    """A fresh database with an empty log."""
    name = f"audit_{next(_numbers)}"
    log_template.create(name, template=TEMPLATE)
    yield Dsn(
        owner=log_template.conninfo(name),
        hub=log_template.conninfo(name, user=HUB_ROLE),
        eraser=log_template.conninfo(name, user=ERASER_ROLE),
    )
    with psycopg.connect(log_template.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Fresh keys of the log."""
    return KeyFile.create(tmp_path / "keys", origin=ORIGIN)


@pytest.fixture
async def open_log(dsn: Dsn, keys: Keys) -> AsyncIterator[Callable[..., Awaitable[Log]]]:
    """Opens the log, as often as wanted; afterwards whatever was recorded is verified from the first entry on."""
    opened: list[Log] = []

    async def open_one(**options: object) -> Log:
        log = await Log.open(dsn.hub, keys, **{"sign_every": None, **options})
        opened.append(log)
        return log

    yield open_one
    for log in opened:
        await log.aclose()
    reader = Reader(dsn.hub, keys)
    report = verify_tables(reader, ORIGIN, [keys.signer.vkey])
    reader.close()
    assert report.findings == []


@pytest.fixture
async def log(open_log: Callable[..., Awaitable[Log]]) -> Log:
    """One open log."""
    return await open_log()
