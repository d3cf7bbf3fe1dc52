"""
Changing the tree: planned on what stands, recorded in the audit log, and only then written.

A change that is recorded is written in one transaction that plans and decides it once more: if anything else has come
between, nothing is written, and the log says so too.  Changes of the tree are rare; they wait for each other.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection

from audit.format.event import Actor, Event, EventType, SealedPayload
from audit.store.log import Log
from gateway.database import Database, locks
from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.organization.change_plan import ChangePlan, ChangeRefused, Proposal, make_plan
from gateway.organization.delegations import end_delegations
from gateway.organization.people import Member, StaffAccount
from gateway.organization.recording import sealed_payload
from gateway.organization.tree import Unit


class ConcurrentChange(Exception):
    """Something else changed the tree while this change was recorded; nothing was written."""


class OrganizationService:
    """
    The tree as this hub changes it.  Holds the database, the encryption and the log, and no state of its own.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        log: Log,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self.encryption = encryption
        self._log = log
        self._clock = clock

    async def change(self, actor: Member, who: Actor, proposal: Proposal) -> int | None:
        """
        Makes the change that `actor` proposes; the index of its record, or None if exactly this stands already.

        Raises `ChangeRefused`, `ConcurrentChange`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        plan = await self._database.run(make_plan, self.encryption, proposal, actor)
        if not plan.courts:
            return None
        indexes = await self._take_effect(plan, who, proposal, actor)
        return indexes[-1]

    async def load(self, who: Actor, units: Iterable[Unit], people: Iterable[StaffAccount]) -> ChangePlan:
        """
        Puts whole rows into the tree, as its owner: nobody's office is asked for, every rule of the tree is.

        Returns what was new.  Raises like `change`.
        """
        units, people = tuple(units), tuple(people)
        plan = await self._database.run(make_plan, self.encryption, lambda *_: (units, people))
        if plan.courts:
            await self._take_effect(plan, who, lambda *_: (units, people))
        return plan

    async def get_account(self, court: str, user: str) -> StaffAccount | None:
        """One person with all that is sealed, active or not."""
        return await self._database.run(store.get_account, self.encryption, court, user)

    async def export(self, *, below: str | None = None) -> tuple[list[Unit], list[StaffAccount]]:
        """The tree, or what hangs at one unit of it, the unit included."""

        def read(connection: Connection) -> tuple[list[Unit], list[StaffAccount]]:
            units = list(store.list_units(connection, below=below).values())
            return units, store.list_accounts(connection, self.encryption, below=below)

        return await self._database.run(read)

    async def _take_effect(
        self, plan: ChangePlan, who: Actor, proposal: Proposal, actor: Member | None = None
    ) -> list[int]:
        events = [_event(plan.for_court(court), replace(who, court=court), self._clock()) for court in plan.courts]
        indexes = [await self._log.append(event, keep=[_kept(event, plan)]) for event in events]
        if not await self._database.run(self._written, plan, proposal, actor):
            for event in events:
                undone = replace(event, exchange=uuid4(), at=self._clock(), outcome="overtaken")
                await self._log.append(replace(undone, detail={**event.detail, "of": str(event.exchange)}))
            raise ConcurrentChange
        return indexes

    def _written(self, connection: Connection, plan: ChangePlan, proposal: Proposal, actor: Member | None) -> bool:
        store.lock_tree(connection)
        now = None
        if actor is not None:
            now = store.get_member(connection, actor.court, actor.user)
            if now is None:
                return False
        try:
            again = make_plan(connection, self.encryption, proposal, now)
        except ChangeRefused:
            return False
        if again != plan:
            return False
        for before, after in again.people:
            if before is not None and _loses(before, after):
                # No answer leaves on the strength of what they lose once this has returned.
                locks.lock_exclusively(connection, locks.person_lock(before.court, before.user))
            if before is not None and (before.unit != after.unit or not after.active):
                end_delegations(connection, before.court, before.user)
        store.write_units(connection, again.tree, again.new_units)
        store.write_accounts(connection, self.encryption, again.new_people)
        return True


def _loses(before: StaffAccount, after: StaffAccount) -> bool:
    return bool(before.roles - after.roles) or before.active > after.active


def _event(plan: ChangePlan, who: Actor, at: datetime) -> Event:
    """One record for one court.  Who is concerned is sealed beside it; how many of what stands in clear."""
    detail: dict[str, str | int] = {"units": len(plan.new_units), "people": len(plan.new_people)}
    touched = {unit.id for unit in plan.new_units} | {one.unit for one in plan.new_people}
    if len(touched) == 1:
        detail["unit"] = touched.pop()
    if len(plan.new_people) == 1:
        (one,) = plan.new_people
        detail |= {"roles": ",".join(sorted(one.roles)), "active": int(one.active)}
    return Event(type=EventType.ADMIN_CHANGED, exchange=uuid4(), at=at, who=who, outcome="changed", detail=detail)


def _kept(event: Event, plan: ChangePlan) -> SealedPayload:
    """Before and after, whole, sealed."""
    own = plan.for_court(event.who.court)
    touched: list[tuple[Unit | StaffAccount | None, Unit | StaffAccount]] = [*own.units, *own.people]
    pairs = [(before, after) for before, after in touched if before != after]
    return sealed_payload("change", event.at, [[before and _plain(before), _plain(after)] for before, after in pairs])


def _plain(row: Unit | StaffAccount) -> dict[str, object]:
    plain = asdict(row)
    return plain | {"roles": sorted(plain["roles"])} if isinstance(row, StaffAccount) else plain
