"""
A hub with the demo's tree, and one with sixty-four courts.
"""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.database.server import EmbeddedServer
from gateway.demo import tree
from gateway.organization.files import read_organization
from gateway.organization.loading import load_file
from tests.organization.house import House, running
from tests.organization.many import many_courts


@pytest.fixture
def house(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub of this test's own, with the demo's people."""
    folder = tmp_path_factory.mktemp("house")
    with running(postgres, folder / "hub", f"house_{folder.name[5:]}") as one:
        tree.settle(one.settings)
        yield one


@pytest.fixture(scope="module")
def province(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub with 64 courts in 11 regions."""
    with running(postgres, tmp_path_factory.mktemp("province") / "hub", "province") as one:
        file, mistakes = read_organization(many_courts().encode(), form="json")
        assert (mistakes, file.mistakes({})) == ([], [])
        asyncio.run(load_file(one.settings, file))
        yield one
