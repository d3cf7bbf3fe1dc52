"""
The service that changes the tree: a change is planned, recorded in the audit log, and only then written.

The writing transaction plans and checks the change again: if the tree has changed meanwhile, nothing is written, and
the log records that too.  Changes of the tree are rare; they are serialized.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
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
    """Another change came between the recording and the writing; nothing was written."""


@dataclass(frozen=True, slots=True)
class OrganizationService:
    """
    Reads and changes the tree.  Stateless.
    """

    database: Database
    encryption: FieldEncryption
    log: Log
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def change(self, actor: Member, who: Actor, proposal: Proposal) -> int | None:
        """
        Makes the change that `actor` proposes; the index of its record, or None if it changes nothing.

        Raises `ChangeRefused`, `ConcurrentChange`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        plan = await self.database.run(make_plan, self.encryption, proposal, actor)
        if not plan.courts:
            return None
        indexes = await self._record_and_write(plan, who, proposal, actor)
        return indexes[-1]

    async def load(self, who: Actor, units: Iterable[Unit], people: Iterable[StaffAccount]) -> ChangePlan:
        """
        Writes whole rows as the owner of the tree: without permissions, but within every rule of the tree.

        Returns the plan.  Raises like `change`.
        """
        units, people = tuple(units), tuple(people)
        plan = await self.database.run(make_plan, self.encryption, lambda *_: (units, people))
        if plan.courts:
            await self._record_and_write(plan, who, lambda *_: (units, people))
        return plan

    async def get_account(self, court: str, user: str) -> StaffAccount | None:
        """One account with its encrypted particulars, active or not."""
        return await self.database.run(store.get_account, self.encryption, court, user)

    async def export(self, *, below: str | None = None) -> tuple[list[Unit], list[StaffAccount]]:
        """The tree, or one unit with all below it."""

        def read(connection: Connection) -> tuple[list[Unit], list[StaffAccount]]:
            units = list(store.list_units(connection, below=below).values())
            return units, store.list_accounts(connection, self.encryption, below=below)

        return await self.database.run(read)

    async def _record_and_write(
        self, plan: ChangePlan, who: Actor, proposal: Proposal, actor: Member | None = None
    ) -> list[int]:
        events = [_event(plan.for_court(court), replace(who, court=court), self.clock()) for court in plan.courts]
        indexes = [await self.log.append(event, payloads=[_changed_rows(event, plan)]) for event in events]
        if not await self.database.run(self._write, plan, proposal, actor):
            for event in events:
                undone = replace(event, exchange=uuid4(), at=self.clock(), outcome="overtaken")
                await self.log.append(replace(undone, detail={**event.detail, "of": str(event.exchange)}))
            raise ConcurrentChange
        return indexes

    def _write(self, connection: Connection, plan: ChangePlan, proposal: Proposal, actor: Member | None) -> bool:
        store.lock_tree(connection)
        current_actor = None
        if actor is not None:
            current_actor = store.get_member(connection, actor.court, actor.user)
            if current_actor is None:
                return False
        try:
            current_plan = make_plan(connection, self.encryption, proposal, current_actor)
        except ChangeRefused:
            return False
        if current_plan != plan:
            return False
        for before, after in current_plan.people:
            if before is not None and _loses(before, after):
                # Once this has returned, no answer is released under the rights that they lose.
                locks.lock_exclusively(connection, locks.person_lock(before.court, before.user))
            if before is not None and (before.unit != after.unit or not after.active):
                end_delegations(connection, before.court, before.user)
        store.write_units(connection, plan.tree, plan.new_units)
        store.write_accounts(connection, self.encryption, plan.new_people)
        return True


def _loses(before: StaffAccount, after: StaffAccount) -> bool:
    return bool(before.roles - after.roles) or before.active > after.active


def _event(plan: ChangePlan, who: Actor, at: datetime) -> Event:
    """The record for one court.  The rows are sealed beside it; their numbers are in clear."""
    detail: dict[str, str | int] = {"units": len(plan.new_units), "people": len(plan.new_people)}
    touched = {unit.id for unit in plan.new_units} | {person.unit for person in plan.new_people}
    if len(touched) == 1:
        detail["unit"] = touched.pop()
    if len(plan.new_people) == 1:
        (person,) = plan.new_people
        detail |= {"roles": ",".join(sorted(person.roles)), "active": int(person.active)}
    return Event(type=EventType.ADMIN_CHANGED, exchange=uuid4(), at=at, who=who, outcome="changed", detail=detail)


def _changed_rows(event: Event, plan: ChangePlan) -> SealedPayload:
    """The rows before and after, to be sealed."""
    own = plan.for_court(event.who.court)
    touched: list[tuple[Unit | StaffAccount | None, Unit | StaffAccount]] = [*own.units, *own.people]
    pairs = [(before, after) for before, after in touched if before != after]
    return sealed_payload("change", event.at, [[before and _plain(before), _plain(after)] for before, after in pairs])


def _plain(row: Unit | StaffAccount) -> dict[str, object]:
    plain = asdict(row)
    return plain | {"roles": sorted(plain["roles"])} if isinstance(row, StaffAccount) else plain
