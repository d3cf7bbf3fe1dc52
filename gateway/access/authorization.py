"""
The authorization of a lookup: when it is asked for, and again before its answer is released.

This is the only place that permits a lookup.  What it permits is a grant: the right to ask about one party under one
work order, within the kind of that work order, valid only while it is checked again.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import text

from gateway.access.catalogue import Catalogue, Kind, Scope
from gateway.access.policy import Policies, PolicyDecision, PolicyFacts
from gateway.access.rules import AccessRule
from gateway.access.snapshot import (
    AccessLease,
    AccessRequest,
    AccessSnapshot,
    GrantedWorkOrder,
    UsageCounters,
    access_leases,
    read_snapshots,
)
from gateway.access.work_orders import WorkOrders
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.sign_on import Caller
from schemas.codes import Want
from schemas.comparison import comparable_text
from schemas.identifiers import Identifier
from schemas.subject import Official
from schemas.work_order import PartyStatement, WorkOrderStatement

# Refusals of these rules are counted: a caller meets them when trying out whom a work order names.
GUESSING_RULES = frozenset({AccessRule.PARTY_NOT_NAMED, AccessRule.NAME_DIFFERS})


# Rights are bounded by `access_now()`: PostgreSQL's clock, and never a time earlier than one that was seen before, so
# that setting a clock back revives no ended right on any replica.  An expiry that was seen for this long is final.
ADVANCE_SECONDS: Final = 5.0
_ADVANCE_CLOCK: Final = text("UPDATE access_clock SET latest = clock_timestamp() WHERE latest < clock_timestamp()")


class AccessDenied(Exception):
    """The lookup is refused by a rule; `order` is the work order where the caller may know of it."""

    def __init__(self, rule: AccessRule, rules: tuple[str, ...] = (), order: GrantedWorkOrder | None = None) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule
        self.rules = rules or (rule.value,)
        self.order = order


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    What was permitted, by which rules.  `id` names the grant in the audit log, `delegation` the stand-in if there is
    one; `official` is who acts, the holder or who stands in; `scopes` is what may be released; `narrowed_to` is what
    the work order leaves of its kind, None if all.  Of the other parties it holds nothing, `order` neither.
    """

    id: str
    request: AccessRequest = field(repr=False)
    order: GrantedWorkOrder
    kind: Kind
    restricted_to: tuple[Want, ...] | None
    simplified_procedure: bool
    party: PartyStatement = field(repr=False)
    official: Official
    wants: tuple[str, ...]
    rules: tuple[str, ...]
    delegation: str | None = None

    @property
    def scopes(self) -> Mapping[Want, Scope]:
        """The fields of each lookup that may be released, and their masks."""
        return self.kind.scopes


class Authorizer:
    """
    Decides on lookups.  Reads everything fresh from PostgreSQL: a right that ended is ended on every replica at once.
    """

    def __init__(
        self,
        *,
        database: Database,
        encryption: FieldEncryption,
        work_orders: WorkOrders,
        catalogue: Catalogue,
        policies: Policies,
    ) -> None:
        self.catalogue = catalogue
        self.policy = f"access/{policies.digest[:12]}+{catalogue.digest[:12]}"
        self._database = database
        self._encryption = encryption
        self._clock: asyncio.Task[None] | None = None
        self._work_orders = work_orders
        self._policies = policies
        self._snapshots = batching.BatchedStatement(database, read_snapshots)
        self._leases = access_leases(database)
        self._usage = UsageCounters(database)

    async def grant(
        self,
        caller: Caller,
        work_order: str,
        identifier: Identifier,
        name: str | None,
        wants: Iterable[Want],
        *,
        count_question: bool = True,
    ) -> Grant:
        """
        The right of `caller` to ask about this party now.  `count_question` takes one of the grant's questions; without
        it the right is to read what was asked before.  Raises `AccessDenied`, `DatabaseUnavailable`.
        """
        request = AccessRequest(caller.court, caller.user, work_order, self._work_orders.party_index(identifier))
        wanted = tuple(sorted(want.value for want in wants))
        snapshot = await self._snapshot(request)
        document = self._statement(snapshot)
        fits = _name_fits(name, snapshot, document)
        decision = self._judge(
            caller, snapshot, _restriction(document), wanted, name_fits=fits, counted=not count_question
        )
        if not decision.permitted or snapshot.order is None or snapshot.grant is None or document is None:
            raise await self._refused(request, decision, snapshot)
        if count_question and not await self._usage.consume(request.court, request.work_order, request.party):
            raise AccessDenied(AccessRule.USED_UP, order=snapshot.order)
        kind = self.catalogue.kind(snapshot.order.court, snapshot.order.kind)
        assert kind is not None  # noqa: S101 - an unknown kind grants no lookup
        return Grant(
            id=str(snapshot.grant.id),
            request=request,
            order=replace(snapshot.order, document=b""),
            kind=kind,
            restricted_to=document.want,
            simplified_procedure=document.simplified_procedure,
            party=document.parties[snapshot.grant.position],
            official=self._official(caller, snapshot, document),
            wants=wanted,
            rules=decision.rules,
            delegation=None if snapshot.delegation is None else str(snapshot.delegation),
        )

    async def before_release(self, caller: Caller, grant: Grant) -> tuple[AccessRule | None, AccessLease]:
        """
        Decides again: the rule that ended the right meanwhile, or None.  Nothing can end it until the lease is
        released.  Raises `DatabaseUnavailable`.
        """
        lease = await self._leases.acquire(grant.request)
        order = lease.row.order
        same = order is not None and order.version == grant.order.version
        restricted_to = grant.restricted_to if same else _restriction(self._statement(lease.row))
        # The question was counted when it was asked, and its party's name compared.
        decision = self._judge(caller, lease.row, restricted_to, grant.wants, name_fits=True, counted=True)
        return (None if decision.permitted else decision.refusal), lease

    async def explain(
        self, caller: Caller, work_order: str, identifier: Identifier, name: str | None, wants: Iterable[Want]
    ) -> tuple[PolicyDecision, GrantedWorkOrder | None]:
        """
        What `grant` would say now, with the work order where the caller may know of it; nothing is counted but a
        refusal.  Raises `DatabaseUnavailable`.
        """
        request = AccessRequest(caller.court, caller.user, work_order, self._work_orders.party_index(identifier))
        snapshot = await self._snapshot(request)
        document = self._statement(snapshot)
        wanted = tuple(sorted(want.value for want in wants))
        fits = _name_fits(name, snapshot, document)
        decision = self._judge(caller, snapshot, _restriction(document), wanted, name_fits=fits)
        refused = None if decision.permitted else await self._refused(request, decision, snapshot)
        return decision, snapshot.order if refused is None else refused.order

    def start_clock(self) -> None:
        """Makes the clock of access advance with the server's, until `aclose`."""
        self._clock = asyncio.create_task(self._advance_clock())

    async def aclose(self) -> None:
        """Closes the connections for decisions."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        for statements in (self._snapshots, self._leases, self._usage):
            await statements.aclose()

    async def _advance_clock(self) -> None:
        while True:
            # Without the database there is no decision anyway; the clock goes on when it is back.
            with contextlib.suppress(DatabaseUnavailable):
                await self._database.run(lambda connection: connection.execute(_ADVANCE_CLOCK))
            await asyncio.sleep(ADVANCE_SECONDS)

    async def _refused(
        self, request: AccessRequest, decision: PolicyDecision, snapshot: AccessSnapshot
    ) -> AccessDenied:
        if decision.refusal in GUESSING_RULES:
            await self._usage.count_refusal(request.court, request.user)
        # Only its holder learns more of a work order than that it is not theirs.
        known = AccessRule.NOT_HELD.value not in decision.rules
        return AccessDenied(decision.refusal, decision.rules, snapshot.order if known else None)

    def _official(self, caller: Caller, snapshot: AccessSnapshot, document: WorkOrderStatement) -> Official:
        if snapshot.delegation is None:
            return document.holder.official
        # Agencies are told which official really asks.
        return store.open_official(self._encryption, caller.court, caller.user, snapshot.sealed_person)

    async def _snapshot(self, request: AccessRequest) -> AccessSnapshot:
        snapshot = await self._snapshots.run(request)
        assert snapshot is not None  # noqa: S101 - there is a row for every request
        return snapshot

    def _statement(self, snapshot: AccessSnapshot) -> WorkOrderStatement | None:
        return None if snapshot.order is None or snapshot.grant is None else self._work_orders.document(snapshot.order)

    def _judge(
        self,
        caller: Caller,
        snapshot: AccessSnapshot,
        restricted_to: tuple[Want, ...] | None,
        wants: tuple[str, ...],
        *,
        name_fits: bool,
        counted: bool = False,
    ) -> PolicyDecision:
        order, grant = snapshot.order, snapshot.grant
        kind = None if order is None else self.catalogue.kind(order.court, order.kind)
        confirmed = snapshot.confirmed_by
        facts = PolicyFacts(
            caller=caller.user,
            caller_court=caller.court,
            member=snapshot.member,
            roles=snapshot.roles,
            refused_too_often=snapshot.refused_too_often,
            court="" if order is None else order.court,
            holder="" if order is None else order.holder,
            deputy=snapshot.delegation is not None,
            open=order is not None and order.status.open,
            recorded=order is not None and order.recorded,
            begun=grant is None or grant.begun,
            ended=grant is not None and grant.ended,
            party_named=grant is not None,
            name_fits=name_fits,
            lookups=_lookups(kind, restricted_to),
            questions_left=counted or grant is None or grant.asked < grant.allowed,
            second_person_needed=kind is not None and kind.second_person,
            confirmed_by_another=confirmed is not None and confirmed not in {caller.user, order and order.holder},
            wants=wants,
        )
        return self._policies.decide(facts)


def _restriction(document: WorkOrderStatement | None) -> tuple[Want, ...] | None:
    return None if document is None else document.want


def _name_fits(name: str | None, snapshot: AccessSnapshot, document: WorkOrderStatement | None) -> bool:
    """Whether the party is called so in the work order, where both give it a name."""
    if name is None or document is None or snapshot.grant is None:
        return True
    return comparable_text(name) == comparable_text(document.parties[snapshot.grant.position].name)


def _lookups(kind: Kind | None, restricted_to: tuple[Want, ...] | None) -> tuple[str, ...]:
    """The lookups of the kind that the work order leaves."""
    if kind is None:
        return ()
    if restricted_to is None:
        return kind.lookups
    return tuple(want for want in kind.lookups if want in restricted_to)
