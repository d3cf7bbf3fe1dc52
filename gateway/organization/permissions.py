"""
The permissions to change the tree: one pure function, evaluated for every change.

Four offices change the tree, each below its own position only: a region's and a centre's administrator everything of
their business, the system administrator of a court its units and accounts, the security administrator of a court its
roles.  A holder of several offices may do what any of them allows; their own entry is closed to all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.organization.people import Member
from gateway.organization.roles import SEPARATED, Role
from gateway.organization.rules import OrganizationRule as Rule
from gateway.organization.tree import UnitKind, UnitPosition

# What each administrator of a part can give and take; the region's own administrators are named by file.
GRANTABLE: Final[Mapping[Role, frozenset[Role]]] = {
    Role.REGION_ADMINISTRATOR: frozenset({Role.CENTRE_ADMINISTRATOR, Role.GROUP_LEADER, Role.ASSISTANT, Role.JUDGE}),
    Role.CENTRE_ADMINISTRATOR: frozenset({Role.GROUP_LEADER, Role.ASSISTANT, Role.JUDGE}),
    Role.SECURITY_ADMINISTRATOR: frozenset(Role) - {Role.REGION_ADMINISTRATOR},
}
_WITHOUT_REACH: Final = frozenset({Role.ASSISTANT, Role.JUDGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The position of a person, with their roles."""

    position: UnitPosition
    roles: frozenset[Role]
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """A unit that is new (`before` None), renamed or moved."""

    before: UnitPosition | None
    after: UnitPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """
    A person who is new (`before` None), is moved, gains or loses roles, or is deactivated.

    `particulars`: name or official's particulars change too.
    """

    court: str
    user: str = field(repr=False)
    before: Post | None
    after: Post
    particulars: bool = False

    @property
    def places(self) -> tuple[UnitPosition, ...]:
        """Every position that is concerned."""
        return (self.after.position,) if self.before is None else (self.before.position, self.after.position)

    @property
    def roles(self) -> frozenset[Role]:
        """Every role that is concerned, also those that stay."""
        return self.after.roles | (self.before.roles if self.before else frozenset())


Change = UnitChange | PersonChange


def may_change(actor: Member, change: Change) -> Rule | None:
    """The rule that keeps `actor` from this change, or None if they may make it."""
    # One sign-on user is one person, at whichever court the account is.
    if isinstance(change, PersonChange) and change.user == actor.user:
        return Rule.OWN_ENTRY
    refusal: Rule | None = Rule.NOT_ADMINISTRATOR
    # The narrowest office last: its refusal is the one that is returned.
    for role in reversed([role for role in _OFFICES if role in actor.roles]):
        refusal = _OFFICES[role](actor, role, change)
        if refusal is None:
            return None
    return refusal


def holds_office(actor: Member) -> bool:
    """Whether a person may change anything of the tree."""
    return any(role in actor.roles for role in _OFFICES)


def administers(actor: Member, place: UnitPosition) -> bool:
    """Whether a place is in the reach of one of their offices; of other places they learn nothing."""
    if actor.roles & SEPARATED:
        return place.court == actor.court
    return holds_office(actor) and actor.position.id in place.path


def visible_below(member: Member) -> bool:
    """Whether a person sees their unit and all below it; without that, their own entry alone."""
    return holds_office(member) or bool(member.roles & {Role.GROUP_LEADER, Role.AUDIT_ADMINISTRATOR})


def _places(change: Change) -> tuple[UnitPosition, ...]:
    if isinstance(change, PersonChange):
        return change.places
    return (change.after,) if change.before is None else (change.before, change.after)


def _of_business(actor: Member, role: Role, change: Change) -> Rule | None:
    if not all(place.below(actor.position.id) for place in _places(change)):
        return Rule.OUTSIDE_SUBTREE
    if isinstance(change, UnitChange):
        return Rule.COURTS_BY_FILE if change.after.kind in {UnitKind.REGION, UnitKind.COURT} else None
    if change.roles & SEPARATED:
        return Rule.SEPARATED_ADMINISTRATORS
    return Rule.BEYOND_OWN_ROLE if change.roles - GRANTABLE[role] else None


def _of_accounts(actor: Member, _role: Role, change: Change) -> Rule | None:
    if not _in_court(actor, change):
        return Rule.OUTSIDE_SUBTREE
    if isinstance(change, UnitChange):
        return Rule.COURTS_BY_FILE if change.after.kind is UnitKind.COURT else None
    before = change.before
    roles = before.roles if before else frozenset()
    if roles & SEPARATED:
        return Rule.SEPARATED_ADMINISTRATORS
    # A deactivated account loses all roles, and is reactivated without any.
    if change.after.active and change.after.roles != roles:
        return Rule.ROLES_BY_SECURITY
    moved = before is not None and before.position != change.after.position
    return Rule.ROLES_FIRST if moved and change.after.active and roles - _WITHOUT_REACH else None


def _of_roles(actor: Member, role: Role, change: Change) -> Rule | None:
    if not _in_court(actor, change):
        return Rule.OUTSIDE_SUBTREE
    if isinstance(change, UnitChange) or change.before is None or change.particulars:
        return Rule.ACCOUNTS_BY_SYSTEM
    if (change.before.position, change.before.active) != (change.after.position, change.after.active):
        return Rule.ACCOUNTS_BY_SYSTEM
    return Rule.BEYOND_OWN_ROLE if change.roles - GRANTABLE[role] else None


def _in_court(actor: Member, change: Change) -> bool:
    return all(place.court == actor.court for place in _places(change))


_OFFICES: Final[Mapping[Role, Callable[[Member, Role, Change], Rule | None]]] = {
    Role.SYSTEM_ADMINISTRATOR: _of_accounts,
    Role.SECURITY_ADMINISTRATOR: _of_roles,
    Role.CENTRE_ADMINISTRATOR: _of_business,
    Role.REGION_ADMINISTRATOR: _of_business,
}
