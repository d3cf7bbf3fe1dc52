"""
Showing a form to its reader and to its receiver, each time under the right as it is at that moment.

The right is held while the form leaves, so that it has left before a closing of the work order returns, or does not
leave.  What is shown is what the grant covers now, which may be less than when the form was filled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.store.log import Log
from gateway.access.authorization import Authorizer
from gateway.access.rules import AccessRule
from gateway.access.snapshot import AccessLease
from gateway.access.work_orders import WorkOrders
from gateway.autofill import audit_events, endings, result, store
from gateway.autofill.due_questions import FormParty, FormQuestions, PartyProgress
from gateway.autofill.filling import withheld
from gateway.autofill.job_runner import JobRunner, Reschedule, context, parties_of
from gateway.autofill.result import FilledForm
from gateway.autofill.states import RequestState
from gateway.autofill.store import StoredRequest
from gateway.autofill.templates import FormTemplate, FormTemplates
from gateway.callbacks.outbox import OutboundDelivery, Permit, Stop
from gateway.callbacks.states import DeliveryState
from gateway.database import Database, DatabaseUnavailable
from gateway.field_encryption import FieldEncryption
from gateway.lookup.service import Withheld
from gateway.sign_on import Caller

_ENDS: Final = {
    DeliveryState.DELIVERED: RequestState.DELIVERED,
    DeliveryState.CANCELLED: RequestState.CANCELLED,
    DeliveryState.DEAD_LETTERED: RequestState.DEAD_LETTERED,
}


@dataclass(frozen=True, slots=True)
class WithheldForm:
    """A rule of ours keeps the form in the house."""

    rule: AccessRule


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is of a form, which may be sent while every lease is valid; the sender releases them."""

    form: FilledForm
    leases: Sequence[AccessLease]


class FormDelivery:
    """
    Releases forms.  Towards the sender of callbacks it is their `Deliverable`.
    """

    def __init__(
        self,
        *,
        access: Authorizer,
        work_orders: WorkOrders,
        forms: FormTemplates,
        questions: FormQuestions,
        runs: JobRunner,
        log: Log,
        database: Database,
        encryption: FieldEncryption,
        clock: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._work_orders = work_orders
        self._forms = forms
        self._questions = questions
        self._runs = runs
        self._log = log
        self._database = database
        self._encryption = encryption
        self._clock = clock

    async def show(self, caller: Caller, request: StoredRequest) -> Shown | WithheldForm | None:
        """
        The form, or what there is of it so far; None if there is nothing yet.  `caller` is the holder, or the client,
        which sees it on the holder's behalf.  Recorded before it is returned.

        Raises `AuditUnavailable`, `DatabaseUnavailable`.
        """
        form = self._forms.for_kind(request.order.kind, request.template)
        going_on = request.state.going_on and any(one.sealed is not None for one in request.questions)
        if form is None or not request.current or (request.sealed is None and not going_on):
            return None
        parties = self._parties(request, form)
        if caller.user == request.order.holder:
            parties = [replace(party, caller=caller) for party in parties]
        held = await self._held(request, parties)
        if isinstance(held, AccessRule):
            return WithheldForm(held)
        progress, leases = held
        try:
            whole = self._stored(request, form, parties, progress) or self._so_far(request, form, parties, progress)
            whose = audit_events.subjects(party.statement for party in parties)
            event = audit_events.read_again(request, uuid4(), whose, self._clock(), self._access.policy)
            await self._log.append(replace(event, who=parties[0].caller.actor()))
            if not all(lease.valid for lease in leases):
                raise DatabaseUnavailable  # noqa: TRY301 - the leases go back whatever happens
        except BaseException:
            Permit(leases).release()
            raise
        return Shown(whole, leases)

    async def release(self, delivery: OutboundDelivery) -> Permit | Stop:
        """The right to send the form to its receiver now; that it was filled, and may leave, is on record already."""
        request = await self._database.run(store.read, UUID(delivery.subject))
        form = None if request is None else self._forms.for_kind(request.order.kind, request.template)
        if request is None or form is None or request.state is not RequestState.FILLED:
            return Stop("withdrawn")
        if not request.current:
            return Stop("work_order_changed")
        held = await self._held(request, self._parties(request, form))
        return Stop(held.value) if isinstance(held, AccessRule) else Permit(held[1])

    def ended(
        self, connection: Connection, delivery: OutboundDelivery, state: DeliveryState, reason: str | None, at: datetime
    ) -> None:
        """Notes how the delivery ended."""
        endings.delivery(connection, UUID(delivery.subject), _ENDS[state], reason, at)

    def resumed(self, connection: Connection, delivery: OutboundDelivery) -> bool:
        """Notes that a dead letter is offered anew; False if its form is no longer there."""
        return endings.delivery(connection, UUID(delivery.subject), RequestState.FILLED, None, self._clock())

    def _parties(self, request: StoredRequest, form: FormTemplate) -> list[FormParty]:
        return list(parties_of(request, self._work_orders.document(request.order), form, self._access))

    async def _held(
        self, request: StoredRequest, parties: Sequence[FormParty]
    ) -> tuple[dict[int, PartyProgress], list[AccessLease]] | AccessRule:
        """What is known of every party, each under a lease; or the rule that refuses one of them."""
        progress: dict[int, PartyProgress] = {}
        leases: list[AccessLease] = []
        try:
            for party in parties:
                if not party.wants or not any(
                    one.party == party.place and one.lookup is not None for one in request.questions
                ):
                    continue
                known = await self._questions.recall(request, party)
                rule, lease = await self._access.before_release(party.caller, known.grant)
                leases.append(lease)
                if rule is not None:
                    Permit(leases).release()
                    return rule
                progress[party.place] = known
        except Withheld as error:
            Permit(leases).release()
            return error.rule
        except BaseException:
            Permit(leases).release()
            raise
        return progress, leases

    def _stored(
        self,
        request: StoredRequest,
        form: FormTemplate,
        parties: Sequence[FormParty],
        progress: dict[int, PartyProgress],
    ) -> FilledForm | None:
        if request.sealed is None:
            return None
        stored = result.load(self._encryption.open(context(request.id), request.sealed))
        statements = {party.place: party.statement for party in parties}
        return replace(
            stored,
            parties=tuple(
                replace(
                    one,
                    fields=tuple(
                        withheld(form, statements[place], progress[place].grant.scopes, each) for each in one.fields
                    ),
                )
                if (place := one.party - 1) in progress
                else one
                for one in stored.parties
            ),
        )

    def _so_far(
        self,
        request: StoredRequest,
        form: FormTemplate,
        parties: Sequence[FormParty],
        progress: dict[int, PartyProgress],
    ) -> FilledForm:
        filled = []
        for party in parties:
            pending = Reschedule(request.deadline) if party.wants else None
            known = progress.get(party.place, pending)
            filled.append(self._runs.party_form(form, party, known, going_on=True))
        return FilledForm(
            id=request.id,
            work_order=request.work_order,
            version=request.version,
            template=form.id,
            at=self._clock(),
            complete=False,
            parties=tuple(filled),
        )
