"""
The tree of an installation, opened outside a hub: for the command line and the demo.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from adapters.errors import ConfigurationError
from audit.format.event import Actor
from audit.sealing.keys import KeyFile
from audit.store.log import Log
from gateway.database import Database
from gateway.field_encryption import HUB_KEY, FieldEncryption
from gateway.organization.change_plan import ChangePlan
from gateway.organization.import_export import OrganizationFile
from gateway.organization.service import OrganizationService
from gateway.settings import Settings

OPERATOR: Final = Actor(client="command line", role="operator")
# A file of many courts is one transaction, and is not loaded interactively.
SECONDS: Final = 60.0


@asynccontextmanager
async def open_organization(settings: Settings) -> AsyncIterator[OrganizationService]:
    """
    The tree of the installation with these settings, whose database runs.

    Raises `ConfigurationError`, `AuditUnavailable`, `LogBroken`.
    """
    # The hub's own role is enough for the tree, and the owner of the tables may not open the log.
    url = settings.database_url
    if url is None:
        raise ConfigurationError("SHUNIU_DATABASE_URL is not set; it names the database as the hub's login role")
    database = Database(url, timeout=SECONDS, connections=1)
    try:
        encryption = FieldEncryption.load(settings.key_folder / HUB_KEY)
        log = await Log.open(
            url,
            KeyFile.load(settings.key_folder),
            origin=settings.origin,
            schema=settings.audit_schema,
            sign_every=None,
        )
        try:
            yield OrganizationService(database, encryption, log)
            await log.sign()
        finally:
            await log.aclose()
    finally:
        database.close()


async def load_file(settings: Settings, file: OrganizationFile) -> ChangePlan:
    """Loads a file without mistakes into the tree; returns what was new.  Raises like `OrganizationService.load`."""
    async with open_organization(settings) as organization:
        return await organization.load(OPERATOR, file.units, file.people)
