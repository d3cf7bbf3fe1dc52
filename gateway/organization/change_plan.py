"""
The plan of a change to the tree, and the check that the tree's rules and the actor's permissions allow it.
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
    The effect of a change: each unit and person before and after.
    """

    units: tuple[tuple[Unit | None, Unit], ...] = ()
    people: tuple[tuple[StaffAccount | None, StaffAccount], ...] = field(default=(), repr=False)
    tree: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)
    current: Tree = field(default_factory=lambda: Tree({}), compare=False, repr=False)

    @property
    def new_units(self) -> list[Unit]:
        """The units that the change adds or alters."""
        return [after for before, after in self.units if before != after]

    @property
    def new_people(self) -> list[StaffAccount]:
        """The accounts that the change adds or alters."""
        return [after for before, after in self.people if before != after]

    @property
    def courts(self) -> list[str | None]:
        """The courts that are concerned; None for units without a court."""
        concerned = {unit.court for unit in self.new_units} | {person.court for person in self.new_people}
        return sorted(concerned, key=lambda court: court or "")

    def for_court(self, court: str | None) -> "ChangePlan":
        """The part that concerns one court."""
        return replace(
            self,
            units=tuple(pair for pair in self.units if pair[1].court == court),
            people=tuple(pair for pair in self.people if pair[1].court == court),
        )

    def changes(self) -> Iterable[Change]:
        """Each change as `may_change` decides on it."""
        for unit, unit_after in self.units:
            position = self.tree.position(unit_after.id)
            if position is not None:
                yield UnitChange(before=self.current.position(unit.id) if unit else None, after=position)
        for person, after in self.people:
            post = _post(self.tree, after)
            if post is not None:
                personal = person is None or (person.name, person.official) != (after.name, after.official)
                before = _post(self.current, person) if person else None
                yield PersonChange(court=after.court, user=after.user, before=before, after=post, particulars=personal)


# The rows to write, from the rows that are stored; evaluated twice, so it must depend on nothing else.
Proposal = Callable[[Connection, Tree], tuple[Iterable[Unit], Iterable[StaffAccount]]]


def make_plan(
    connection: Connection, encryption: FieldEncryption, proposal: Proposal, actor: Member | None = None
) -> ChangePlan:
    """
    The plan of a proposal on the tree as it is; with `actor`, within their permissions.  Raises `ChangeRefused`.
    """
    if actor and not holds_office(actor):
        raise ChangeRefused(OrganizationRule.NOT_ADMINISTRATOR)
    current = Tree(store.list_units(connection))
    proposed_units, proposed_people = proposal(connection, current)
    units, people = tuple(proposed_units), tuple(proposed_people)
    if actor:
        _within_reach(actor, current, [unit.parent for unit in units])
    tree = _changed_tree(current, units)
    if actor:
        _within_reach(actor, tree, [person.unit for person in people])
    known = store.get_accounts(connection, encryption, [(person.court, person.user) for person in people])
    plan = ChangePlan(
        units=tuple((current.units.get(unit.id), unit) for unit in units),
        people=tuple((known.get((person.court, person.user)), person) for person in people),
        tree=tree,
        current=current,
    )
    for change in plan.changes() if actor else ():
        _refuse_by(may_change(actor, change) if actor else None)
    for person in people:
        _refuse_by(account_violation(person, tree))
    return plan


def _within_reach(actor: Member, tree: Tree, units: Iterable[str | None]) -> None:
    """Checked before the rules of the tree, so that a place out of reach and one that does not exist look alike."""
    for unit in units:
        position = tree.position(unit or "")
        if position is None or not administers(actor, position):
            raise ChangeRefused(OrganizationRule.OUTSIDE_SUBTREE)


def _changed_tree(current: Tree, units: Iterable[Unit]) -> Tree:
    wanted = current.units | {unit.id: unit for unit in units}
    for rule in unit_violations(wanted).values():
        raise ChangeRefused(rule)
    for unit in units:
        before = current.units.get(unit.id, unit)
        if (before.kind, before.court) != (unit.kind, unit.court):
            raise ChangeRefused(OrganizationRule.UNIT_FIXED)
    return Tree(wanted)


def _refuse_by(rule: OrganizationRule | None) -> None:
    if rule is not None:
        raise ChangeRefused(rule)


def _post(tree: Tree, person: StaffAccount) -> Post | None:
    position = tree.position(person.unit)
    return None if position is None else Post(position=position, roles=person.roles, active=person.active)
