"""
Changing the tree: planned on what stands, recorded in the audit log, and only then written.

A change that is recorded is written in one transaction that plans and decides it once more: if anything else has come
between, nothing is written, and the log says so too.  Changes of the tree are rare; they wait for each other.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection

from audit.event import Event, EventType, Kept, Who
from audit.log import Log
from gateway.access import leases
from gateway.database import Database
from gateway.organization import store
from gateway.organization.administration import (
    Change,
    PersonChange,
    Post,
    UnitChange,
    holds_office,
    may_change,
    reaches,
)
from gateway.organization.delegations import end_all_of
from gateway.organization.people import Member, Person, broken_person
from gateway.organization.recording import kept
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, Unit, broken_units
from gateway.vault import Vault


class ChangeRefused(Exception):
    """
    A rule refuses the change; nothing was written.
    """

    def __init__(self, rule: OrganizationRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


class Overtaken(Exception):
    """Something else changed the tree while this change was recorded; nothing was written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a change makes of what stands: each unit and person as they are and as they will be.
    """

    units: tuple[tuple[Unit | None, Unit], ...] = ()
    people: tuple[tuple[Person | None, Person], ...] = field(default=(), repr=False)
    tree: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)
    standing: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)

    @property
    def new_units(self) -> list[Unit]:
        """The units that do not stand like this yet."""
        return [after for before, after in self.units if before != after]

    @property
    def new_people(self) -> list[Person]:
        """The people who do not stand like this yet."""
        return [after for before, after in self.people if before != after]

    @property
    def courts(self) -> list[str | None]:
        """The courts that are concerned, None for what belongs to no court."""
        concerned = {unit.court for unit in self.new_units} | {one.court for one in self.new_people}
        return sorted(concerned, key=lambda court: court or "")

    def of_court(self, court: str | None) -> "Plan":
        """What of it concerns one court."""
        return replace(
            self,
            units=tuple(pair for pair in self.units if pair[1].court == court),
            people=tuple(pair for pair in self.people if pair[1].court == court),
        )

    def changes(self) -> Iterable[Change]:
        """Each change as it is decided on."""
        for unit, unit_after in self.units:
            place = self.tree.place(unit_after.id)
            if place is not None:
                yield UnitChange(before=self.standing.place(unit.id) if unit else None, after=place)
        for person, after in self.people:
            post = _post(self.tree, after)
            if post is not None:
                personal = person is None or (person.name, person.official) != (after.name, after.official)
                before = _post(self.standing, person) if person else None
                yield PersonChange(court=after.court, user=after.user, before=before, after=post, particulars=personal)


# What to write, made from what stands; read and decided twice, so it must depend on nothing else.
Proposal = Callable[[Connection, Tree], tuple[Iterable[Unit], Iterable[Person]]]


class Organization:
    """
    The tree as this hub changes it.  Holds the database, the vault and the log, and no state of its own.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        log: Log,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self.vault = vault
        self._log = log
        self._clock = clock

    async def change(self, actor: Member, who: Who, proposal: Proposal) -> int | None:
        """
        Makes the change that `actor` proposes; the index of its record, or None if exactly this stands already.

        Raises `ChangeRefused`, `Overtaken`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        plan = await self._database.run(self._planned, proposal, actor)
        if not plan.courts:
            return None
        indexes = await self._take_effect(plan, who, proposal, actor)
        return indexes[-1]

    async def load(self, who: Who, units: Iterable[Unit], people: Iterable[Person]) -> Plan:
        """
        Puts whole rows into the tree, as its owner: nobody's office is asked for, every rule of the tree is.

        Returns what was new.  Raises like `change`.
        """
        units, people = tuple(units), tuple(people)
        plan = await self._database.run(self._planned, lambda *_: (units, people))
        if plan.courts:
            await self._take_effect(plan, who, lambda *_: (units, people))
        return plan

    async def person(self, court: str, user: str) -> Person | None:
        """One person with all that is sealed, active or not."""
        return await self._database.run(store.person_of, self.vault, court, user)

    async def whole(self, *, below: str | None = None) -> tuple[list[Unit], list[Person]]:
        """The tree, or what hangs at one unit of it, the unit included."""

        def read(connection: Connection) -> tuple[list[Unit], list[Person]]:
            units = list(store.units_of(connection, below=below).values())
            return units, store.people_of(connection, self.vault, below=below)

        return await self._database.run(read)

    def _planned(self, connection: Connection, proposal: Proposal, actor: Member | None = None) -> Plan:
        if actor and not holds_office(actor):
            raise ChangeRefused(OrganizationRule.NOT_ADMINISTRATOR)
        standing = Tree(store.units_of(connection))
        rows = proposal(connection, standing)
        proposed_units, proposed_people = tuple(rows[0]), tuple(rows[1])
        if actor:
            _within_reach(actor, standing, [unit.parent for unit in proposed_units])
        tree = _grown(standing, proposed_units)
        if actor:
            _within_reach(actor, tree, [one.unit for one in proposed_people])
        keys = [(one.court, one.user) for one in proposed_people]
        known = store.known_people(connection, self.vault, keys)
        plan = Plan(
            units=tuple((standing.units.get(unit.id), unit) for unit in proposed_units),
            people=tuple((known.get((one.court, one.user)), one) for one in proposed_people),
            tree=tree,
            standing=standing,
        )
        for change in plan.changes() if actor else ():
            _unless(may_change(actor, change) if actor else None)
        for one in proposed_people:
            _unless(broken_person(one, tree))
        return plan

    async def _take_effect(self, plan: Plan, who: Who, proposal: Proposal, actor: Member | None = None) -> list[int]:
        events = [_event(plan.of_court(court), replace(who, court=court), self._clock()) for court in plan.courts]
        indexes = [await self._log.append(event, keep=[_kept(event, plan)]) for event in events]
        if not await self._database.run(self._written, plan, proposal, actor):
            for event in events:
                undone = replace(event, exchange=uuid4(), at=self._clock(), outcome="overtaken")
                await self._log.append(replace(undone, detail={**event.detail, "of": str(event.exchange)}))
            raise Overtaken
        return indexes

    def _written(self, connection: Connection, plan: Plan, proposal: Proposal, actor: Member | None) -> bool:
        store.alone(connection)
        now = None
        if actor is not None:
            now = store.member_now(connection, actor.court, actor.user)
            if now is None:
                return False
        try:
            again = self._planned(connection, proposal, now)
        except ChangeRefused:
            return False
        if again != plan:
            return False
        for before, after in again.people:
            if before is not None and _loses(before, after):
                # No answer leaves on the strength of what they lose once this has returned.
                leases.end_alone(connection, leases.of_person(before.court, before.user))
            if before is not None and (before.unit != after.unit or not after.active):
                end_all_of(connection, before.court, before.user)
        store.write_units(connection, again.tree, again.new_units)
        store.write_people(connection, self.vault, again.new_people)
        return True


def _within_reach(actor: Member, tree: Tree, units: Iterable[str | None]) -> None:
    """Before any rule of the tree is looked at: what is elsewhere and what is nowhere are told alike."""
    for unit in units:
        place = tree.place(unit or "")
        if place is None or not reaches(actor, place):
            raise ChangeRefused(OrganizationRule.OUTSIDE_SUBTREE)


def _grown(standing: Tree, units: Iterable[Unit]) -> Tree:
    wanted = standing.units | {unit.id: unit for unit in units}
    for rule in broken_units(wanted).values():
        raise ChangeRefused(rule)
    for unit in units:
        before = standing.units.get(unit.id, unit)
        if (before.kind, before.court) != (unit.kind, unit.court):
            raise ChangeRefused(OrganizationRule.UNIT_FIXED)
    return Tree(wanted)


def _unless(rule: OrganizationRule | None) -> None:
    if rule is not None:
        raise ChangeRefused(rule)


def _loses(before: Person, after: Person) -> bool:
    return bool(before.roles - after.roles) or before.active > after.active


def _post(tree: Tree, person: Person) -> Post | None:
    place = tree.place(person.unit)
    return None if place is None else Post(place=place, roles=person.roles, active=person.active)


def _event(plan: Plan, who: Who, at: datetime) -> Event:
    """One record for one court.  Who is concerned is sealed beside it; how many of what stands in clear."""
    detail: dict[str, str | int] = {"units": len(plan.new_units), "people": len(plan.new_people)}
    touched = {unit.id for unit in plan.new_units} | {one.unit for one in plan.new_people}
    if len(touched) == 1:
        detail["unit"] = touched.pop()
    if len(plan.new_people) == 1:
        (one,) = plan.new_people
        detail |= {"roles": ",".join(sorted(one.roles)), "active": int(one.active)}
    return Event(type=EventType.ADMIN_CHANGED, exchange=uuid4(), at=at, who=who, outcome="changed", detail=detail)


def _kept(event: Event, plan: Plan) -> Kept:
    """Before and after, whole, sealed."""
    own = plan.of_court(event.who.court)
    touched: list[tuple[Unit | Person | None, Unit | Person]] = [*own.units, *own.people]
    pairs = [(before, after) for before, after in touched if before != after]
    return kept("change", event.at, [[before and _plain(before), _plain(after)] for before, after in pairs])


def _plain(row: Unit | Person) -> dict[str, object]:
    plain = asdict(row)
    return plain | {"roles": sorted(plain["roles"])} if isinstance(row, Person) else plain
