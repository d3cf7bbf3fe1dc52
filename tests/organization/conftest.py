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
from tests.organization.house import Ground, House
from tests.organization.many import many_courts


@pytest.fixture(scope="session")
def ground(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """An installation with the demo's people."""
    return Ground.laid(postgres, tmp_path_factory.mktemp("ground") / "hub", "house_ground", tree.settle)


@pytest.fixture
def house(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub of this test's own."""
    folder = tmp_path_factory.mktemp("house")
    with ground.running(folder / "hub", f"house_{folder.name[5:]}") as house:
        yield house


@pytest.fixture(scope="module")
def province(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub with 64 courts in 11 regions."""

    def settle(settings: Settings) -> None:
        file, mistakes = read_organization(many_courts().encode(), form="json")
        assert (mistakes, file.mistakes({})) == ([], [])
        asyncio.run(load_file(settings, file))

    folder = tmp_path_factory.mktemp("province")
    with Ground.laid(postgres, folder / "ground", "province_ground", settle).running(
        folder / "hub", "province"
    ) as house:
        yield house
