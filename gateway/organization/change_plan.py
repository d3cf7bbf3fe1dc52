"""
What a change of the tree comes to, and whether its rules and the one who wants it allow that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.organization.people import Member, StaffAccount, account_violation
from gateway.organization.permissions import (
    Change,
    PersonChange,
    Post,
    UnitChange,
    administers,
    holds_office,
    may_change,
)
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, Unit, unit_violations


class ChangeRefused(Exception):
    """
    A rule refuses the change; nothing was written.
    """

    def __init__(self, rule: OrganizationRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """
    What a change makes of what stands: each unit and person as they are and as they will be.
    """

    units: tuple[tuple[Unit | None, Unit], ...] = ()
    people: tuple[tuple[StaffAccount | None, StaffAccount], ...] = field(default=(), repr=False)
    tree: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)
    current: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)

    @property
    def new_units(self) -> list[Unit]:
        """The units that do not stand like this yet."""
        return [after for before, after in self.units if before != after]

    @property
    def new_people(self) -> list[StaffAccount]:
        """The people who do not stand like this yet."""
        return [after for before, after in self.people if before != after]

    @property
    def courts(self) -> list[str | None]:
        """The courts that are concerned, None for what belongs to no court."""
        concerned = {unit.court for unit in self.new_units} | {one.court for one in self.new_people}
        return sorted(concerned, key=lambda court: court or "")

    def for_court(self, court: str | None) -> "ChangePlan":
        """What of it concerns one court."""
        return replace(
            self,
            units=tuple(pair for pair in self.units if pair[1].court == court),
            people=tuple(pair for pair in self.people if pair[1].court == court),
        )

    def changes(self) -> Iterable[Change]:
        """Each change as it is decided on."""
        for unit, unit_after in self.units:
            place = self.tree.position(unit_after.id)
            if place is not None:
                yield UnitChange(before=self.current.position(unit.id) if unit else None, after=place)
        for person, after in self.people:
            post = _post(self.tree, after)
            if post is not None:
                personal = person is None or (person.name, person.official) != (after.name, after.official)
                before = _post(self.current, person) if person else None
                yield PersonChange(court=after.court, user=after.user, before=before, after=post, particulars=personal)


# What to write, made from what stands; read and decided twice, so it must depend on nothing else.
Proposal = Callable[[Connection, Tree], tuple[Iterable[Unit], Iterable[StaffAccount]]]


def make_plan(
    connection: Connection, encryption: FieldEncryption, proposal: Proposal, actor: Member | None = None
) -> ChangePlan:
    """
    What a proposal comes to on what stands now; with `actor`, as far as they may.  Raises `ChangeRefused`.
    """
    if actor and not holds_office(actor):
        raise ChangeRefused(OrganizationRule.NOT_ADMINISTRATOR)
    standing = Tree(store.list_units(connection))
    rows = proposal(connection, standing)
    proposed_units, proposed_people = tuple(rows[0]), tuple(rows[1])
    if actor:
        _within_reach(actor, standing, [unit.parent for unit in proposed_units])
    tree = _grown(standing, proposed_units)
    if actor:
        _within_reach(actor, tree, [one.unit for one in proposed_people])
    keys = [(one.court, one.user) for one in proposed_people]
    known = store.get_accounts(connection, encryption, keys)
    plan = ChangePlan(
        units=tuple((standing.units.get(unit.id), unit) for unit in proposed_units),
        people=tuple((known.get((one.court, one.user)), one) for one in proposed_people),
        tree=tree,
        current=standing,
    )
    for change in plan.changes() if actor else ():
        _unless(may_change(actor, change) if actor else None)
    for one in proposed_people:
        _unless(account_violation(one, tree))
    return plan


def _within_reach(actor: Member, tree: Tree, units: Iterable[str | None]) -> None:
    """Before any rule of the tree is looked at: what is elsewhere and what is nowhere are told alike."""
    for unit in units:
        place = tree.position(unit or "")
        if place is None or not administers(actor, place):
            raise ChangeRefused(OrganizationRule.OUTSIDE_SUBTREE)


def _grown(standing: Tree, units: Iterable[Unit]) -> Tree:
    wanted = standing.units | {unit.id: unit for unit in units}
    for rule in unit_violations(wanted).values():
        raise ChangeRefused(rule)
    for unit in units:
        before = standing.units.get(unit.id, unit)
        if (before.kind, before.court) != (unit.kind, unit.court):
            raise ChangeRefused(OrganizationRule.UNIT_FIXED)
    return Tree(wanted)


def _unless(rule: OrganizationRule | None) -> None:
    if rule is not None:
        raise ChangeRefused(rule)


def _post(tree: Tree, person: StaffAccount) -> Post | None:
    place = tree.position(person.unit)
    return None if place is None else Post(position=place, roles=person.roles, active=person.active)
