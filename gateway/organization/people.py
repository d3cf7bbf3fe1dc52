"""
People of the tree: whose account sits where, with which roles; and what one of them is at this moment, for a decision.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.organization.roles import Role, role_violation
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, UnitKind, UnitPosition, is_label
from schemas.codes import IdType
from schemas.identifiers import IdentifierError, parse

# A letter and never more than five digits in a row, or a UUID: an account name, and no personal number.  Written
# without look-around, since the schema of the API shows the same pattern.
USER_ID: Final = (
    r"^([A-Za-z]([0-9]{0,5}[A-Za-z._:-])*[0-9]{0,5}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"
)
MAX_USER_LENGTH: Final = 64
_USER: Final = re.compile(USER_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """
    What agencies demand to know of an acting official; all of it, or the person has none.  Personal.
    """

    id_number: str
    unit_code: str
    unit_name: str
    terminal: str

    def __repr__(self) -> str:
        return "Particulars(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAccount:
    """
    An account of a court: the sign-on user, where they sit, what they hold.  `repr` shows neither name nor user.
    """

    court: str
    user: str
    unit: str
    roles: frozenset[Role]
    active: bool = True
    name: str
    official: Particulars | None = None

    def __repr__(self) -> str:
        return f"Person(court={self.court!r}, unit={self.unit!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    What an active person is in the tree at this moment.
    """

    court: str
    user: str = field(repr=False)
    position: UnitPosition
    roles: frozenset[Role]

    @property
    def group(self) -> str | None:
        """The group where they sit, if they sit in one."""
        return self.position.id if self.position.kind is UnitKind.GROUP else None


def account_violation(person: StaffAccount, tree: Tree) -> OrganizationRule | None:
    """The first rule that a person breaks in a sound tree, or None."""
    if len(person.user) > MAX_USER_LENGTH or not _USER.fullmatch(person.user):
        return OrganizationRule.USER_ID
    if not is_label(person.name):
        return OrganizationRule.PERSON_NAME
    place = tree.position(person.unit)
    if place is None or not tree.seats(person.court, place):
        return OrganizationRule.PERSON_PLACE
    if person.roles and not person.active:
        return OrganizationRule.INACTIVE_ROLES
    if person.official is not None and not _sound(person.official):
        return OrganizationRule.PARTICULARS
    return role_violation(person.roles, place.kind)


def _sound(official: Particulars) -> bool:
    try:
        numbers = (parse(IdType.RESIDENT_ID, official.id_number).value, parse(IdType.USCC, official.unit_code).value)
    except IdentifierError:
        return False
    # As agencies write them: what is stored is what is sent, and what is exported.
    if numbers != (official.id_number, official.unit_code):
        return False
    return is_label(official.unit_name) and is_label(official.terminal) and len(official.terminal) <= MAX_USER_LENGTH
