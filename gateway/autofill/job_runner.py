"""
One run of a request: every party's open questions, then either the filled form or a later run.

A run may be repeated at any point.  What was answered is not asked again, what was recorded is not recorded again, and
of two runs at once only the later writes.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from adapters.contract import Adapter
from audit.store.log import Log
from gateway.access.authorization import Authorizer
from gateway.access.rules import AccessRule
from gateway.access.work_orders import WorkOrders
from gateway.autofill import audit_events, result, store
from gateway.autofill.due_questions import FormParty, FormQuestions, PartyProgress
from gateway.autofill.filling import blank, counted, fill
from gateway.autofill.result import FilledForm, PartyForm
from gateway.autofill.states import OF_ONE_PARTY, PASSING, FieldState, FormEnding, RequestState
from gateway.autofill.store import Fenced, StoredRequest
from gateway.autofill.templates import FormTemplate, FormTemplates
from gateway.callbacks.outbox import Outbox
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.lookup.service import Withheld
from schemas.codes import Want
from schemas.work_order import WorkOrderStatement

T = TypeVar("T")

FAMILY: Final = "cn.shuniu.autofill."
EVENT_TYPE: Final = f"{FAMILY}finished.v1"

# How long a filled form is offered to its receiver, at least; longer if the request's own deadline is later.
OFFERED: Final = timedelta(days=1)
PARTIES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Another run is needed, at this moment."""

    at: datetime


class RightEnded(Exception):
    """A rule of ours ended the right to ask for the whole form."""

    def __init__(self, rule: AccessRule) -> None:
        super().__init__(f"ended by rule {rule.value}")
        self.rule = rule


class JobRunner:
    """
    Runs requests.  Holds no state of its own: everything that must survive is in the database.
    """

    def __init__(
        self,
        *,
        access: Authorizer,
        work_orders: WorkOrders,
        agencies: Mapping[str, Adapter],
        forms: FormTemplates,
        questions: FormQuestions,
        log: Log,
        database: Database,
        encryption: FieldEncryption,
        outbox: Outbox,
        clock: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._work_orders = work_orders
        self._forms = forms
        self._questions = questions
        self._log = log
        self._database = database
        self._encryption = encryption
        self._outbox = outbox
        self._clock = clock
        self.serves = {
            (agency, name): capability.serves
            for agency, adapter in agencies.items()
            for name, capability in adapter.capabilities.items()
        }

    async def run(self, request_id: UUID, job: int) -> None:
        """
        Runs a request for one job of the queue, as far as it gets.

        Raises `AuditUnavailable`, `DatabaseUnavailable`: nothing is lost, and another run is due.
        """
        request = await self._database.run(store.begin, request_id, job, self._clock())
        if request is None:
            return
        try:
            if request.starts > store.MOST_STARTS:
                await self._end(request, RequestState.DEAD_LETTERED, FormEnding.STARTED_TOO_OFTEN.value)
                return
            form = self._forms.for_kind(request.order.kind, request.template)
            if form is None:
                await self._end(request, RequestState.DEAD_LETTERED, FormEnding.TEMPLATE_GONE.value)
                return
            await self._run(request, form)
        except RightEnded as ended:
            await self._end(request, RequestState.CANCELLED, ended.rule.value)
        except Fenced:
            # Whoever fenced this run off goes on, or has ended it.
            pass

    async def _run(self, request: StoredRequest, form: FormTemplate) -> None:
        statement = self._work_orders.document(request.order)
        if request.accepted_index is None:
            whose = audit_events.subjects(statement.parties[place] for place in request.parties)
            event = audit_events.accepted(request, whose, self._clock(), self._access.policy)
            await self._database.run(store.note_accepted, request, await audit_events.once(self._log, event))
        parties = parties_of(request, statement, form, self._access)
        enough = asyncio.Semaphore(PARTIES_AT_ONCE)
        known = await _all([self._party(enough, request, one) for one in parties])
        later = [one.at for one in known if isinstance(one, Reschedule)]
        later += [one.next_at for one in known if isinstance(one, PartyProgress) and one.next_at is not None]
        told = {
            lookup: index for one in known if isinstance(one, PartyProgress) for lookup, index in one.outcomes.items()
        }
        if later and self._clock() < request.deadline:
            await self._database.run(store.delay, request, min(later), told)
            return
        await self._finish(request, statement, form, list(zip(parties, known, strict=True)), told)

    async def _party(
        self, enough: asyncio.Semaphore, request: StoredRequest, party: FormParty
    ) -> PartyProgress | Reschedule | AccessRule | None:
        """What is known of a party; when to look again; the rule by which it alone is refused; None: nothing wanted."""
        if not party.wants:
            return None
        async with enough:
            try:
                return await self._questions.ask(request, party)
            except Withheld as error:
                withheld = error
            rule = withheld.rule
            if not withheld.questions_sent and rule in PASSING:
                return Reschedule(self._clock() + PASSING[rule])
            if withheld.questions_sent or rule not in OF_ONE_PARTY:
                raise RightEnded(rule)
            await self._database.run(store.end_questions, request, party.place)
            return rule

    async def _finish(
        self,
        request: StoredRequest,
        statement: WorkOrderStatement,
        form: FormTemplate,
        known: Sequence[tuple[FormParty, PartyProgress | Reschedule | AccessRule | None]],
        told: dict[UUID, int],
    ) -> None:
        now = self._clock()
        parties = tuple(self.party_form(form, party, what) for party, what in known)
        filled = FilledForm(
            id=request.id,
            work_order=request.work_order,
            version=request.version,
            template=form.id,
            at=now,
            complete=all(isinstance(what, PartyProgress) and what.next_at is None for _, what in known),
            parties=parties,
        )
        whose = audit_events.subjects(statement.parties[place] for place in request.parties)
        counts = counted(filled.fields)
        event = audit_events.finished(
            request, whose, now, self._access.policy, sections=result.sections(parties), **counts
        )
        index = await audit_events.once(self._log, event)
        body = result.dump(replace(filled, audit=index))
        await self._database.run(self._filled, request, body, index, now, told)

    def party_form(
        self,
        form: FormTemplate,
        party: FormParty,
        known: PartyProgress | Reschedule | AccessRule | None,
        *,
        going_on: bool = False,
    ) -> PartyForm:
        """The fields of one party out of what is known of it."""
        said = party.statement
        number, role, kind = party.place + 1, said.role, said.kind
        if isinstance(known, PartyProgress):
            fields = fill(
                form,
                said,
                known.result,
                scopes=known.grant.scopes,
                serves=self.serves,
                trail=known.trail,
                going_on=going_on,
            )
            heard = known.result
            return PartyForm(
                party=number, role=role, kind=kind, fields=fields, switches=heard.switches, answers=heard.answers
            )
        state = FieldState.NOT_GRANTED if known is None else FieldState.PENDING if going_on else FieldState.NOT_ASKED
        rule = known.value if isinstance(known, AccessRule) else None
        return PartyForm(party=number, role=role, kind=kind, fields=blank(form, said, state), refused_by=rule)

    def _filled(
        self,
        connection: Connection,
        request: StoredRequest,
        body: bytes,
        index: int,
        now: datetime,
        told: dict[UUID, int],
    ) -> None:
        sealed = self._encryption.seal(context(request.id), body)
        store.end(connection, request, RequestState.FILLED, at=now, index=index, sealed=sealed, told=told)
        if request.receiver is not None:
            self._outbox.enqueue(
                connection,
                court=request.court,
                client=request.client,
                receiver=request.receiver,
                event_type=EVENT_TYPE,
                subject=str(request.id),
                webhook_id=webhook_id(request.id),
                data=json.loads(body),
                at=now,
                deadline=max(request.deadline, now + OFFERED),
            )

    async def _end(self, request: StoredRequest, state: RequestState, reason: str) -> None:
        # The record of an end follows the end: it is written by the next sweep, also when this process dies now.
        await self._database.run(_ended, request, state, reason, self._clock())


def parties_of(
    request: StoredRequest, statement: WorkOrderStatement, form: FormTemplate, access: Authorizer
) -> tuple[FormParty, ...]:
    """The parties of a request, and of each what the form wants and the work order grants."""
    kind = access.catalogue.kind(request.court, request.order.kind)
    granted = frozenset[Want]() if kind is None else form.wants & kind.scopes.keys()
    wants = granted if statement.want is None else granted & frozenset(statement.want)
    caller = audit_events.on_behalf(request, statement)
    return tuple(
        FormParty(place=place, statement=statement.parties[place], caller=caller, wants=tuple(sorted(wants)))
        for place in request.parties
    )


def context(request: UUID) -> str:
    """Where a sealed form belongs."""
    return f"autofill form|{request}"


def webhook_id(request: UUID) -> str:
    """The id of the one callback that a request may have."""
    return f"autofill_{request.hex}"


def _ended(connection: Connection, request: StoredRequest, state: RequestState, reason: str, at: datetime) -> None:
    store.end(connection, request, state, reason=reason, at=at)


async def _all(parties: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """
    Every party's outcome.  None is broken off because another failed: a lookup that was begun comes to its record.
    """
    found = await asyncio.gather(*parties, return_exceptions=True)
    errors = [one for one in found if isinstance(one, BaseException)]
    if errors:
        # That the right has ended says more than that the house is not ready.
        raise min(errors, key=lambda error: not isinstance(error, RightEnded | Fenced))
    return [one for one in found if not isinstance(one, BaseException)]
