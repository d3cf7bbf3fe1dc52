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
from tests.compliance.court import NOW, ComplianceCourt, start_court
from tests.organization.court import ORIGIN, Installation

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def installation(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with the demo's people, to be copied."""
    return Installation.create(
        postgres, tmp_path_factory.mktemp("compliance") / "hub", "compliance_template", tree.settle
    )


@pytest.fixture
async def court(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ComplianceCourt]:
    """The compliance services of a hub of this test's own."""
    folder = tmp_path_factory.mktemp("compliance") / "hub"
    shutil.copytree(installation.folder, folder)
    name = f"office_{next(_numbers)}"
    installation.postgres.create(name, template=installation.database)
    settings = Settings(
        folder=folder,
        agencies=folder / "agencies.toml",
        credentials=folder / "credentials.toml",
        database_url=installation.postgres.url(name, user=APPLICATION_ROLE),
        sign_on_issuer="http://127.0.0.1:9",
        origin=ORIGIN,
    )
    async with start_court(settings, NOW) as court:
        yield court
