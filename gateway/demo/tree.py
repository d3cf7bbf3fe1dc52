"""
The demo courts' tree: synthetic people for the accounts of the demo's sign-on server.
"""

import asyncio
from importlib.resources import files
from typing import Final

from gateway.organization.import_export import OrganizationFile, read_organization
from gateway.organization.loading import load_file
from gateway.settings import Settings

FILE: Final = "organization.json"


def settle(settings: Settings) -> None:
    """
    Puts the demo's people into the tree of an installation whose database runs; safe to repeat.
    """
    asyncio.run(load_file(settings, _read()))


def users() -> list[str]:
    """The accounts of the demo's people."""
    return [person.user for person in _read().people]


def _read() -> OrganizationFile:
    content = files("gateway.demo").joinpath(FILE).read_bytes()
    organization, mistakes = read_organization(content, form="json")
    assert not mistakes  # noqa: S101 - our own file
    return organization
