"""
A hub with the demo's people and a clock that stands still, opened inside the test: its services without HTTP.
"""

import itertools
import shutil
from collections.abc import AsyncIterator

import pytest

from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import tree
from gateway.provisioning import APPLICATION_ROLE
from gateway.settings import Settings
from tests.compliance.office import NOW, Office, opened
from tests.organization.house import ORIGIN, Ground

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def office_ground(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """An installation with the demo's people, to be copied."""
    return Ground.laid(postgres, tmp_path_factory.mktemp("office") / "hub", "office_ground", tree.settle)


@pytest.fixture
async def office(office_ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A compliance office of this test's own."""
    folder = tmp_path_factory.mktemp("office") / "hub"
    shutil.copytree(office_ground.folder, folder)
    name = f"office_{next(_numbers)}"
    office_ground.postgres.create(name, template=office_ground.database)
    settings = Settings(
        folder=folder,
        agencies=folder / "agencies.toml",
        credentials=folder / "credentials.toml",
        database_url=office_ground.postgres.url(name, user=APPLICATION_ROLE),
        sign_on_issuer="http://127.0.0.1:9",
        origin=ORIGIN,
    )
    async with opened(settings, NOW) as one:
        yield one
