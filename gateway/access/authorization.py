"""
The decision about one lookup: at the door, and once more before its answer leaves.

This is the only place that permits a lookup.  What it permits is a grant: the right to ask about one party under one
work order, as wide as the kind of that work order is, and only as good as the last look at it.
"""

import asyncio
import contextlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.access.catalogue import Catalogue, Kind, Scope
from gateway.access.database_clock import ADVANCE_EVERY, advance
from gateway.access.policy import Policies, PolicyDecision, PolicyFacts
from gateway.access.rules import AccessRule
from gateway.access.snapshot import (
    AccessLease,
    AccessRequest,
    AccessSnapshot,
    GrantedWorkOrder,
    access_leases,
    read_snapshots,
)
from gateway.access.usage_counters import UsageCounters
from gateway.access.work_orders import WorkOrders
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.sign_on import Caller
from schemas.codes import Want
from schemas.identifiers import Identifier
from schemas.subject import Official
from schemas.work_order import PartyStatement, WorkOrderStatement

# Refusals of these rules are counted: they are what somebody meets who tries out whom a work order names.
GUESSING_RULES = frozenset({AccessRule.PARTY_NOT_NAMED, AccessRule.NAME_DIFFERS})


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
    Decides.  Reads everything fresh from PostgreSQL: a right that ended is ended on every replica at once.
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
        self._keeping: asyncio.Task[None] | None = None
        self._work_orders = work_orders
        self._policies = policies
        self._standings = batching.BatchedStatement(database, read_snapshots)
        self._leases = access_leases(database)
        self._questions = UsageCounters(database)

    async def grant(
        self,
        caller: Caller,
        work_order: str,
        identifier: Identifier,
        name: str | None,
        wants: Iterable[Want],
        *,
        again: bool = False,
    ) -> Grant:
        """
        The right of `caller` to ask about this party now, with one question counted; with `again` the right to read
        what was asked before, which counts none.  Raises `AccessDenied`, `DatabaseUnavailable`.
        """
        wish = AccessRequest(caller.court, caller.user, work_order, self._work_orders.party_index(identifier))
        asked = tuple(sorted(want.value for want in wants))
        standing = await self._standing(wish)
        document = self._statement(standing)
        fits = _name_fits(name, standing, document)
        verdict = self._judge(caller, standing, _narrowed_to(document), asked, name_fits=fits, counted=again)
        if not verdict.permitted or standing.order is None or standing.grant is None or document is None:
            raise await self._refused(wish, verdict, standing)
        if not again and not await self._questions.consume(wish.court, wish.work_order, wish.party):
            raise AccessDenied(AccessRule.USED_UP, order=standing.order)
        kind = self.catalogue.kind(standing.order.court, standing.order.kind)
        assert kind is not None  # noqa: S101 - an unknown kind grants no lookup
        return Grant(
            id=str(standing.grant.id),
            request=wish,
            order=replace(standing.order, document=b""),
            kind=kind,
            restricted_to=document.want,
            simplified_procedure=document.simplified_procedure,
            party=document.parties[standing.grant.position],
            official=self._official(caller, standing, document),
            wants=asked,
            rules=verdict.rules,
            delegation=None if standing.delegation is None else str(standing.delegation),
        )

    async def before_release(self, caller: Caller, grant: Grant) -> tuple[AccessRule | None, AccessLease]:
        """
        Looks again: the rule that ended the right meanwhile, or None while it lives.  Nothing can end it until the
        lease is given back.  Raises `DatabaseUnavailable`.
        """
        lease = await self._leases.acquire(grant.request)
        order = lease.row.order
        same = order is not None and order.version == grant.order.version
        narrowed_to = grant.restricted_to if same else _narrowed_to(self._statement(lease.row))
        # The question was counted when it was asked, and its party's name compared.
        verdict = self._judge(caller, lease.row, narrowed_to, grant.wants, name_fits=True, counted=True)
        return (None if verdict.permitted else verdict.refusal), lease

    async def explain(
        self, caller: Caller, work_order: str, identifier: Identifier, name: str | None, wants: Iterable[Want]
    ) -> tuple[PolicyDecision, GrantedWorkOrder | None]:
        """
        What `grant` would say now, with the work order where the caller may know of it; nothing is counted but a
        refusal.  Raises `DatabaseUnavailable`.
        """
        wish = AccessRequest(caller.court, caller.user, work_order, self._work_orders.party_index(identifier))
        standing = await self._standing(wish)
        document = self._statement(standing)
        asked = tuple(sorted(want.value for want in wants))
        fits = _name_fits(name, standing, document)
        verdict = self._judge(caller, standing, _narrowed_to(document), asked, name_fits=fits)
        refused = None if verdict.permitted else await self._refused(wish, verdict, standing)
        return verdict, standing.order if refused is None else refused.order

    def start_clock(self) -> None:
        """Lets the clock of access advance with the server's, until `aclose`."""
        self._keeping = asyncio.create_task(self._keep_time())

    async def aclose(self) -> None:
        """Gives the connections for decisions back."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for one in (self._standings, self._leases, self._questions):
            await one.aclose()

    async def _keep_time(self) -> None:
        while True:
            # A database that is away stops every decision anyway; the clock goes on when it is back.
            with contextlib.suppress(DatabaseUnavailable):
                await self._database.run(advance)
            await asyncio.sleep(ADVANCE_EVERY)

    async def _refused(self, wish: AccessRequest, verdict: PolicyDecision, standing: AccessSnapshot) -> AccessDenied:
        if verdict.refusal in GUESSING_RULES:
            await self._questions.count_refusal(wish.court, wish.user)
        # Only its holder learns more of a work order than that it is not theirs.
        known = AccessRule.NOT_HELD.value not in verdict.rules
        return AccessDenied(verdict.refusal, verdict.rules, standing.order if known else None)

    def _official(self, caller: Caller, standing: AccessSnapshot, document: WorkOrderStatement) -> Official:
        if standing.delegation is None:
            return document.holder.official
        # Agencies are told who really asks.
        return store.open_official(self._encryption, caller.court, caller.user, standing.sealed_person)

    async def _standing(self, wish: AccessRequest) -> AccessSnapshot:
        standing = await self._standings.run(wish)
        assert standing is not None  # noqa: S101 - there is a row for every wish
        return standing

    def _statement(self, standing: AccessSnapshot) -> WorkOrderStatement | None:
        return None if standing.order is None or standing.grant is None else self._work_orders.document(standing.order)

    def _judge(
        self,
        caller: Caller,
        standing: AccessSnapshot,
        narrowed_to: tuple[Want, ...] | None,
        wants: tuple[str, ...],
        *,
        name_fits: bool,
        counted: bool = False,
    ) -> PolicyDecision:
        order, grant = standing.order, standing.grant
        kind = None if order is None else self.catalogue.kind(order.court, order.kind)
        confirmed = standing.confirmed_by
        facts = PolicyFacts(
            caller=caller.user,
            caller_court=caller.court,
            member=standing.member,
            roles=standing.roles,
            refused_too_often=standing.refused_too_often,
            court="" if order is None else order.court,
            holder="" if order is None else order.holder,
            deputy=standing.delegation is not None,
            open=order is not None and order.status.open,
            recorded=order is not None and order.recorded,
            begun=grant is None or grant.begun,
            ended=grant is not None and grant.ended,
            party_named=grant is not None,
            name_fits=name_fits,
            lookups=_lookups(kind, narrowed_to),
            questions_left=counted or grant is None or grant.asked < grant.allowed,
            second_person_needed=kind is not None and kind.second_person,
            confirmed_by_another=confirmed is not None and confirmed not in {caller.user, order and order.holder},
            wants=wants,
        )
        return self._policies.decide(facts)


def _narrowed_to(document: WorkOrderStatement | None) -> tuple[Want, ...] | None:
    return None if document is None else document.want


def _name_fits(name: str | None, standing: AccessSnapshot, document: WorkOrderStatement | None) -> bool:
    """Whether the party is called so in the work order, where both give it a name."""
    if name is None or document is None or standing.grant is None:
        return True
    return _folded(name) == _folded(document.parties[standing.grant.position].name)


def _lookups(kind: Kind | None, narrowed_to: tuple[Want, ...] | None) -> tuple[str, ...]:
    """What the kind grants, as far as the work order wants it."""
    if kind is None:
        return ()
    if narrowed_to is None:
        return kind.lookups
    return tuple(want for want in kind.lookups if want in narrowed_to)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
