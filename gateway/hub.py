"""
The composition root: everything that one hub process holds, made from its settings and put together once.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from adapters.errors import ConfigurationError
from adapters.registry import Agencies, load_agencies
from audit.keys import KeyFile
from audit.log import Log
from gateway.access.catalogue import Catalogue
from gateway.access.decision import Access
from gateway.access.policy import Policies
from gateway.access.work_orders import WorkOrders
from gateway.database import Database
from gateway.lookup.pipeline import Lookups
from gateway.settings import Settings
from gateway.sign_on import SignOn
from gateway.sign_on.people import People
from gateway.vault import Vault

HUB_KEY = "hub.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """
    One running hub.  Agencies and the sign-on server may be down when it starts; the database may not.
    """

    settings: Settings
    database: Database
    log: Log
    sign_on: SignOn
    people: People
    agencies: Agencies
    work_orders: WorkOrders
    lookups: Lookups

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """
        Puts a hub together.

        Raises `ConfigurationError` with the command that mends it, `LogBroken`, `AuditUnavailable`.
        """
        if settings.database_url is None:
            raise ConfigurationError("SHUNIU_DATABASE_URL is not set; for a bundled database run: shuniu serve")
        vault = Vault.load(settings.key_folder / HUB_KEY)
        agencies = load_agencies(settings.agencies, settings.credentials)
        database = Database(
            settings.database_url, timeout=settings.database_timeout, connections=settings.database_connections
        )
        log = await Log.open(
            settings.database_url,
            KeyFile.load(settings.key_folder),
            origin=settings.origin,
            schema=settings.audit_schema,
        )
        sign_on = SignOn(settings.sign_on_issuer, audience=settings.audience, bound=settings.bound_clients.split())
        work_orders = WorkOrders(database, vault)
        return cls(
            settings=settings,
            database=database,
            log=log,
            sign_on=sign_on,
            people=People.of(settings, sign_on, database, vault, log),
            agencies=agencies,
            work_orders=work_orders,
            lookups=Lookups(work_orders=work_orders, agencies=agencies, log=log, deadline=settings.deadline),
        )

    async def close(self) -> None:
        """Gives everything back, the log last."""
        await self.agencies.aclose()
        await self.people.aclose()
        await self.sign_on.aclose()
        await self.work_orders.aclose()
        self.database.close()
        await self.log.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
