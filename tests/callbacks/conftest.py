"""
The callbacks of one hub for each test, and a receiver.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from audit.sealing.keys import KeyFile
from audit.store.log import Log
from gateway.callbacks.service import Callbacks
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.field_encryption import HUB_KEY, FieldEncryption
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.settings import Settings
from tests.callbacks.fakes import CallbackService, Clock, Forms
from tests.callbacks.receiver import Receiver, receiving

TEMPLATE = "callbacks_ground"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def installation(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Keys, and a database to be copied."""
    settings = Settings(folder=tmp_path_factory.mktemp("callbacks"))
    create_keys(settings)
    postgres.create(TEMPLATE)
    create_tables(postgres.url(TEMPLATE), origin=settings.origin, application=APPLICATION_ROLE)
    return settings


@pytest.fixture
async def callbacks(postgres: EmbeddedServer, installation: Settings) -> AsyncIterator[CallbackService]:
    """The callbacks of one hub; nothing is sent but when the test says so."""
    name = f"callbacks_{next(_numbers)}"
    postgres.create(name, template=TEMPLATE)
    url = postgres.url(name, user=APPLICATION_ROLE)
    database, keys = Database(url, connections=4), Path(installation.key_folder)
    log = await Log.open(url, KeyFile.load(keys), sign_every=None)
    clock, forms = Clock(), Forms()
    callbacks = Callbacks.of(database, FieldEncryption.load(keys / HUB_KEY), log, at_once=16, clock=clock)
    callbacks.sender.serve("cn.shuniu.autofill.", forms)
    yield CallbackService(
        database=database, callbacks=callbacks, forms=forms, clock=clock, owner=postgres.conninfo(name)
    )
    await callbacks.aclose()
    await log.aclose()
    database.close()


@pytest.fixture
def tickets() -> Iterator[Receiver]:
    """The ticket system's end."""
    with receiving() as one:
        yield one
