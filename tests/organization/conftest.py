"""
A hub with the demo's tree, and one with sixty-four courts.
"""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import tree
from gateway.organization.import_export import read_organization
from gateway.organization.loading import load_file
from gateway.settings import Settings
from tests.organization.court import Installation, OrganizationCourt
from tests.organization.factories import many_courts


@pytest.fixture(scope="session")
def installation(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with the demo's people."""
    return Installation.create(postgres, tmp_path_factory.mktemp("ground") / "hub", "house_ground", tree.settle)


@pytest.fixture
def court(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrganizationCourt]:
    """A hub of this test's own."""
    folder = tmp_path_factory.mktemp("organization")
    with installation.running(folder / "hub", f"house_{folder.name[5:]}") as court:
        yield court


@pytest.fixture(scope="module")
def province(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrganizationCourt]:
    """A hub with 64 courts in 11 regions."""

    def settle(settings: Settings) -> None:
        file, mistakes = read_organization(many_courts().encode(), form="json")
        assert (mistakes, file.mistakes({})) == ([], [])
        asyncio.run(load_file(settings, file))

    folder = tmp_path_factory.mktemp("province")
    with Installation.create(postgres, folder / "ground", "province_ground", settle).running(
        folder / "hub", "province"
    ) as court:
        yield court
