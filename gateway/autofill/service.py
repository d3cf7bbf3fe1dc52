"""
Autofill as the rest of the hub sees it: accept, look, take back, work.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from sqlalchemy import Connection

from adapters.registry import Agencies
from audit.store.log import Log
from gateway.access.authorization import Authorizer
from gateway.access.work_orders import WorkOrders
from gateway.autofill import endings, store
from gateway.autofill.daily_report import DailyReport, digest
from gateway.autofill.delivery import FormDelivery, Shown, WithheldForm
from gateway.autofill.due_questions import FormQuestions
from gateway.autofill.idempotency import Key
from gateway.autofill.intake import FormRequest, Intake
from gateway.autofill.job_runner import FAMILY, JobRunner
from gateway.autofill.queue import Backlog, read_backlog
from gateway.autofill.states import FormEnding
from gateway.autofill.store import StoredRequest
from gateway.autofill.template_loader import load_forms
from gateway.autofill.templates import FormTemplates
from gateway.autofill.worker import Worker
from gateway.callbacks.outbox import Outbox
from gateway.callbacks.service import Callbacks
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.lookup.service import LookupService
from gateway.sign_on import Caller


class RequestNotFound(Exception):
    """No request of this id that the caller may know of."""


class AutofillService:
    """
    Everything about forms that are filled by themselves.  `worker` works once it is started.
    """

    def __init__(
        self,
        *,
        forms: FormTemplates,
        accepting: Intake,
        releasing: FormDelivery,
        worker: Worker,
        outbox: Outbox,
        database: Database,
        clock: Callable[[], datetime],
    ) -> None:
        self.forms = forms
        self.worker = worker
        self._accepting = accepting
        self._releasing = releasing
        self._outbox = outbox
        self._database = database
        self._clock = clock

    @classmethod
    def of(
        cls,
        *,
        access: Authorizer,
        work_orders: WorkOrders,
        agencies: Agencies,
        lookups: LookupService,
        callbacks: Callbacks,
        log: Log,
        database: Database,
        encryption: FieldEncryption,
        pause: float,
        at_once: int,
        silence: float,
        clock: Callable[[], datetime],
    ) -> Self:
        """
        Puts the room together, and ties it to work orders and callbacks.  Raises `ConfigurationError` for templates
        that do not fit the catalogue.
        """
        forms = load_forms()
        forms.check(access.catalogue)
        questions = FormQuestions(
            lookups=lookups,
            agencies=agencies,
            log=log,
            database=database,
            encryption=encryption,
            pause=pause,
            clock=clock,
        )
        runs = JobRunner(
            access=access,
            work_orders=work_orders,
            agencies=agencies,
            forms=forms,
            questions=questions,
            log=log,
            database=database,
            encryption=encryption,
            outbox=callbacks.outbox,
            clock=clock,
        )
        releasing = FormDelivery(
            access=access,
            work_orders=work_orders,
            forms=forms,
            questions=questions,
            runs=runs,
            log=log,
            database=database,
            encryption=encryption,
            clock=clock,
        )
        accepting = Intake(
            work_orders=work_orders,
            catalogue=access.catalogue,
            forms=forms,
            agencies=agencies,
            outbox=callbacks.outbox,
        )
        work_orders.subscribe(accepting.changed)
        callbacks.sender.serve(FAMILY, releasing)
        worker = Worker(
            runs=runs,
            log=log,
            database=database,
            policy=access.policy,
            at_once=at_once,
            silence=timedelta(seconds=silence),
            clock=clock,
        )
        return cls(
            forms=forms,
            accepting=accepting,
            releasing=releasing,
            worker=worker,
            outbox=callbacks.outbox,
            database=database,
            clock=clock,
        )

    async def accept(self, wish: FormRequest, key: Key | None = None) -> tuple[StoredRequest, bool]:
        """
        Accepts a request; it and its job are durable when this returns.  True: the key had made it before.

        Raises `RequestRejected`, `KeyInUse`, `KeyReused`, `DatabaseUnavailable`.
        """
        return await self._database.run(self._accept, wish, key)

    async def find(self, caller: Caller, request_id: UUID) -> StoredRequest:
        """
        A request of this client, or of the holder of its work order.  Raises `RequestNotFound`, `DatabaseUnavailable`.
        """
        request = await self._database.run(store.read, request_id)
        if request is None or not _known_to(caller, request):
            raise RequestNotFound
        return request

    async def show(self, caller: Caller, request: StoredRequest) -> Shown | WithheldForm | None:
        """
        What there is of its form, under the right as it is now.  Raises `AuditUnavailable`, `DatabaseUnavailable`.
        """
        return await self._releasing.show(caller, request)

    async def take_back(self, caller: Caller, request_id: UUID) -> StoredRequest:
        """
        Cancels a request unless it has ended or is being delivered; how it stands then.  Raises `RequestNotFound`,
        `DatabaseUnavailable`.
        """
        await self.find(caller, request_id)
        return await self._database.run(self._take_back, caller.court, request_id)

    async def backlog(self) -> Backlog:
        """What waits.  Raises `DatabaseUnavailable`."""
        return await self._database.run(read_backlog, self._clock())

    async def digest(self, since: datetime, until: datetime) -> DailyReport:
        """What happened in a period.  Raises `DatabaseUnavailable`."""
        return await self._database.run(digest, since, until)

    async def aclose(self) -> None:
        """Lets what runs come to its end."""
        await self.worker.aclose()

    def _accept(self, connection: Connection, wish: FormRequest, key: Key | None) -> tuple[StoredRequest, bool]:
        request, replayed = self._accepting.accept(connection, wish, key, self._clock())
        return _read(connection, request), replayed

    def _take_back(self, connection: Connection, court: str, request: UUID) -> StoredRequest:
        now = self._clock()
        # The delivery first: its sender takes the two in this order too.
        if not self._outbox.cancel(connection, court=court, subjects=[str(request)], at=now):
            endings.cancel(connection, [request], FormEnding.TAKEN_BACK, now)
        return _read(connection, request)


def _known_to(caller: Caller, request: StoredRequest) -> bool:
    return caller.court == request.court and (
        caller.user == caller.client == request.client or caller.user == request.order.holder
    )


def _read(connection: Connection, request_id: UUID) -> StoredRequest:
    request = store.read(connection, request_id)
    if request is None:
        raise RequestNotFound
    return request
