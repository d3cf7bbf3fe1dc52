"""
People of the tree: the accounts as they are stored, and an active person as a decision sees them.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.organization.roles import Role, role_violation
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, UnitKind, UnitPosition, is_label
from schemas.codes import IdType
from schemas.identifiers import IdentifierError, parse

# A letter and at most five digits in a row, or a UUID: an account name cannot be a personal number.  No look-around,
# since the schema of the API shows the same pattern.
USER_ID: Final = (
    r"^([A-Za-z]([0-9]{0,5}[A-Za-z._:-])*[0-9]{0,5}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"
)
MAX_USER_LENGTH: Final = 64
_USER: Final = re.compile(USER_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """
    What agencies require of an acting official, complete or absent.  Personal.
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
    An account of a court: the sign-on user, their unit and their roles.  `repr` shows neither name nor user.
    """

    court: str
    user: str
    unit: str
    roles: frozenset[Role]
    active: bool = True
    name: str
    official: Particulars | None = None

    def __repr__(self) -> str:
        return f"StaffAccount(court={self.court!r}, unit={self.unit!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    An active person with their present position and roles.
    """

    court: str
    user: str = field(repr=False)
    position: UnitPosition
    roles: frozenset[Role]

    @property
    def group(self) -> str | None:
        """The group they belong to, if any."""
        return self.position.id if self.position.kind is UnitKind.GROUP else None


def account_violation(person: StaffAccount, tree: Tree) -> OrganizationRule | None:
    """The first rule that a person breaks in a sound tree, or None."""
    if len(person.user) > MAX_USER_LENGTH or not _USER.fullmatch(person.user):
        return OrganizationRule.USER_ID
    if not is_label(person.name):
        return OrganizationRule.PERSON_NAME
    position = tree.position(person.unit)
    if position is None or not tree.seats(person.court, position):
        return OrganizationRule.PERSON_PLACE
    if person.roles and not person.active:
        return OrganizationRule.INACTIVE_ROLES
    if person.official is not None and not _valid(person.official):
        return OrganizationRule.PARTICULARS
    return role_violation(person.roles, position.kind)


def _valid(official: Particulars) -> bool:
    try:
        numbers = (parse(IdType.RESIDENT_ID, official.id_number).value, parse(IdType.USCC, official.unit_code).value)
    except IdentifierError:
        return False
    # Only the canonical spelling: it is stored, sent to agencies and exported unchanged.
    if numbers != (official.id_number, official.unit_code):
        return False
    return is_label(official.unit_name) and is_label(official.terminal) and len(official.terminal) <= MAX_USER_LENGTH
