"""
The composition root: all services of one hub process, built from its settings.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from adapters.errors import ConfigurationError
from adapters.registry import Agencies, load_agencies
from audit.anchor.witness import Witness, WitnessTable
from audit.anchor.witness_key import load_witness_key
from audit.sealing.keys import KeyFile
from audit.store.log import Log
from gateway.access.authorization import Authorizer
from gateway.access.break_glass import BreakGlass
from gateway.access.catalogue import Catalogue
from gateway.access.confirmations import Confirmations
from gateway.access.policy import Policies
from gateway.access.reviews import EmergencyReviews
from gateway.access.work_orders import WorkOrders
from gateway.access.worklist import Worklist
from gateway.agency_secrets import SharedSecretStore
from gateway.anchors.configuration import read_anchors
from gateway.anchors.service import Anchoring
from gateway.anchors.witness_endpoint import WitnessEndpoint
from gateway.autofill.service import AutofillService
from gateway.callbacks.service import Callbacks
from gateway.compliance.service import Compliance
from gateway.database import Database
from gateway.field_encryption import HUB_KEY, FieldEncryption
from gateway.lookup.answer_cache import AnswerCache
from gateway.lookup.history import LookupHistory
from gateway.lookup.service import LookupService
from gateway.lookup.single_flight import SingleFlight
from gateway.organization.delegations import Delegations
from gateway.organization.service import OrganizationService
from gateway.organization.store import Members
from gateway.resilience.quotas import SharedQuotas
from gateway.resilience.registry import GuardRegistry
from gateway.settings import Settings
from gateway.sign_on import TokenVerifier
from gateway.sign_on.sign_in_service import SignInService
from gateway.telemetry.service import Telemetry


class Closeable(Protocol):
    """A service that holds resources."""

    async def aclose(self) -> None:
        """Releases them."""
        ...


T = TypeVar("T", bound=Closeable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """
    One running hub.  Agencies and the sign-on server may be down when it starts; the database may not.
    """

    settings: Settings
    resources: AsyncExitStack = field(repr=False)
    telemetry: Telemetry
    database: Database
    encryption: FieldEncryption
    log: Log
    token_verifier: TokenVerifier
    sign_in_service: SignInService
    agency_secrets: SharedSecretStore
    agencies: Agencies
    guards: GuardRegistry
    authorizer: Authorizer
    work_orders: WorkOrders
    lookups: LookupService
    lookup_history: LookupHistory
    worklist: Worklist
    members: Members
    organization: OrganizationService
    delegations: Delegations
    confirmations: Confirmations
    break_glass: BreakGlass
    emergency_reviews: EmergencyReviews
    anchoring: Anchoring
    witness_endpoint: WitnessEndpoint
    callbacks: Callbacks
    autofill: AutofillService
    compliance: Compliance

    @classmethod
    async def start(cls, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Self:
        """
        Builds and starts a hub.

        Raises `ConfigurationError` with the command that mends it, `LogBroken`, `AuditUnavailable`; all that was opened
        until then is released.
        """
        resources = AsyncExitStack()
        try:
            return await cls._build(settings, clock, resources)
        except BaseException:
            await resources.aclose()
            raise

    @classmethod
    async def _build(cls, settings: Settings, clock: Callable[[], datetime], resources: AsyncExitStack) -> Self:
        def closing(service: T) -> T:
            resources.push_async_callback(service.aclose)
            return service

        if settings.database_url is None:
            raise ConfigurationError("SHUNIU_DATABASE_URL is not set; for a bundled database run: shuniu serve")
        telemetry = closing(Telemetry.from_settings(settings))
        encryption = FieldEncryption.load(settings.key_folder / HUB_KEY)
        anchors = read_anchors(settings.anchors)
        cosigner = load_witness_key(settings.key_folder) if anchors.neighbours else None
        catalogue, policies = Catalogue.load(overrides=settings.kinds), Policies.load()
        log = closing(
            await Log.open(
                settings.database_url,
                KeyFile.load(settings.key_folder),
                origin=settings.origin,
                schema=settings.audit_schema,
            )
        )
        database = Database(
            settings.database_url, timeout=settings.database_timeout, connections=settings.database_connections
        )
        resources.push_async_callback(asyncio.to_thread, database.close)
        secrets = SharedSecretStore(database, encryption)
        agencies = closing(load_agencies(settings.agencies, settings.credentials, store=secrets))
        # Closed before the agencies, so that a secret that an agency is just issuing is still received.
        closing(secrets)
        bound = settings.bound_clients.split()
        token_verifier = closing(TokenVerifier(settings.sign_on_issuer, audience=settings.audience, bound=bound))
        work_orders = WorkOrders(database, encryption)
        authorizer = closing(
            Authorizer(
                database=database,
                encryption=encryption,
                work_orders=work_orders,
                catalogue=catalogue,
                policies=policies,
            )
        )
        authorizer.start_clock()
        guards = closing(GuardRegistry(agencies.policies, quotas=SharedQuotas(database), watcher=telemetry))
        lookups = LookupService(
            authorizer=authorizer,
            agencies=agencies,
            single_flight=SingleFlight(guards),
            cache=closing(AnswerCache(database, encryption, agencies, agencies.policies)),
            log=log,
            telemetry=telemetry,
            deadline=settings.deadline,
        )
        witness = None if cosigner is None else Witness(cosigner, anchors.neighbours, WitnessTable(log.reader))
        callbacks = closing(Callbacks.of(database, encryption, log, at_once=settings.callback_senders, clock=clock))
        hub = cls(
            settings=settings,
            resources=resources,
            telemetry=telemetry,
            database=database,
            encryption=encryption,
            log=log,
            token_verifier=token_verifier,
            sign_in_service=closing(SignInService.from_settings(settings, token_verifier, database, encryption, log)),
            agency_secrets=secrets,
            agencies=agencies,
            guards=guards,
            authorizer=authorizer,
            work_orders=work_orders,
            lookups=lookups,
            lookup_history=LookupHistory(database),
            worklist=Worklist(database, work_orders),
            members=closing(Members(database)),
            organization=OrganizationService(database, encryption, log, clock=clock),
            delegations=Delegations(database, log, clock=clock),
            confirmations=Confirmations(database, log, catalogue, policy=authorizer.policy, clock=clock),
            break_glass=BreakGlass(
                database, encryption, log, work_orders, catalogue, policy=authorizer.policy, clock=clock
            ),
            emergency_reviews=EmergencyReviews(database, log, policy=authorizer.policy, clock=clock),
            anchoring=closing(Anchoring(log, anchors, clock=clock)),
            witness_endpoint=WitnessEndpoint(witness, clock=clock),
            callbacks=callbacks,
            autofill=closing(
                AutofillService.of(
                    access=authorizer,
                    work_orders=work_orders,
                    agencies=agencies,
                    lookups=lookups,
                    callbacks=callbacks,
                    log=log,
                    database=database,
                    encryption=encryption,
                    pause=settings.autofill_pause,
                    at_once=settings.workers,
                    silence=settings.worker_silence,
                    clock=clock,
                )
            ),
            compliance=closing(Compliance.create(database, encryption, log, settings.calendar, clock)),
        )
        hub.anchoring.start()
        hub.callbacks.sender.start()
        hub.autofill.worker.start()
        telemetry.start()
        return hub

    async def close(self) -> None:
        """Releases everything, in reverse order: the log last of what a lookup needs."""
        await self.resources.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
