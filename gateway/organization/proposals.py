"""
Proposals of changes over HTTP, turned into whole rows on the stored ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.organization.change_plan import ChangeRefused
from gateway.organization.people import Particulars, StaffAccount
from gateway.organization.roles import Role
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, Unit, UnitKind

Rows = tuple[Iterable[Unit], Iterable[StaffAccount]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProposal:
    """A centre or a group below a parent, whose court is the parent's."""

    id: str
    parent: str
    kind: UnitKind
    zh: str
    en: str

    def __call__(self, _connection: Connection, tree: Tree) -> Rows:
        """The whole row."""
        parent = tree.position(self.parent)
        court = parent.court if parent else None
        return [Unit(id=self.id, parent=self.parent, kind=self.kind, court=court, zh=self.zh, en=self.en)], ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonProposal:
    """
    A person in a unit, whose court is the unit's.  None leaves a value as it is.  Activates the account.
    """

    encryption: FieldEncryption
    user: str
    unit: str
    roles: frozenset[Role] | None = None
    name: str | None = None
    official: Particulars | None = None

    def __call__(self, connection: Connection, tree: Tree) -> Rows:
        """The whole row."""
        position = tree.position(self.unit)
        # A region has no court; people of a region are named in the file of the tree alone.
        if position is None or position.court is None:
            raise ChangeRefused(OrganizationRule.OUTSIDE_SUBTREE)
        known = store.get_account(connection, self.encryption, position.court, self.user)
        before = known or StaffAccount(court=position.court, user=self.user, unit=self.unit, roles=frozenset(), name="")
        after = replace(
            before,
            unit=self.unit,
            active=True,
            roles=before.roles if self.roles is None else self.roles,
            name=before.name if self.name is None else self.name,
            official=self.official or before.official,
        )
        return (), [after]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOff:
    """Deactivates an account and takes all its roles."""

    encryption: FieldEncryption
    court: str
    user: str

    def __call__(self, connection: Connection, _tree: Tree) -> Rows:
        """The whole row."""
        person = store.get_account(connection, self.encryption, self.court, self.user)
        if person is None:
            raise ChangeRefused(OrganizationRule.OUTSIDE_SUBTREE)
        return (), [replace(person, active=False, roles=frozenset())]
