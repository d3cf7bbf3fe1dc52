"""
The tree of units: region → court → centre → group.  A region may lie in a larger one.

`Tree` gives the position of a unit; `unit_violations` gives all rules that a set of units breaks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.organization.rules import OrganizationRule
from schemas.codes import Code


class UnitKind(Code):
    """The levels of the tree."""

    REGION = "region", "辖区", "Region"
    COURT = "court", "法院", "Court"
    CENTRE = "centre", "中心", "Centre"
    GROUP = "group", "组", "Group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit.  `id` is a word, `court` the court's code (浙0802; none for a region), `zh` and `en` its names."""

    id: str
    parent: str | None
    kind: UnitKind
    court: str | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPosition:
    """The position of a unit: `path` holds the ids from the root to the unit, both included."""

    kind: UnitKind
    court: str | None
    path: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id of the unit."""
        return self.path[-1]

    def below(self, unit: str) -> bool:
        """Whether the position is strictly below a unit."""
        return unit in self.path[:-1]


_PARENTS: Final[Mapping[UnitKind, frozenset[UnitKind | None]]] = {
    UnitKind.REGION: frozenset({None, UnitKind.REGION}),
    UnitKind.COURT: frozenset({None, UnitKind.REGION}),
    UnitKind.CENTRE: frozenset({UnitKind.COURT}),
    UnitKind.GROUP: frozenset({UnitKind.CENTRE}),
}
_TOP_ID: Final = re.compile(r"[a-z][a-z0-9]{0,31}")
_REST: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COURT: Final = re.compile(r"最高法|[一-鿿]([0-9]{4}|[0-9]{2})?")
MAX_ID_LENGTH: Final = 64
MAX_NAME_LENGTH: Final = 100


class Tree:
    """
    Units that keep every rule, and their positions.
    """

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.units = dict(units)
        self.courts = {unit.court: unit.id for unit in units.values() if unit.kind is UnitKind.COURT}

    def position(self, unit: str) -> UnitPosition | None:
        """The position of a unit; None if there is no unit of this id."""
        row = self.units.get(unit)
        if row is None:
            return None
        return UnitPosition(kind=row.kind, court=row.court, path=tuple(reversed(_ancestors(self.units, row))))

    def seats(self, court: str, position: UnitPosition) -> bool:
        """Whether people of a court can be at a position: in the court, or in a region above it."""
        if position.kind is not UnitKind.REGION:
            return position.court == court
        own = self.position(self.courts.get(court, ""))
        return own is not None and position.id in own.path


def unit_violations(units: Mapping[str, Unit]) -> dict[str, OrganizationRule]:
    """The first rule that each unit breaks, by its id; empty for a valid tree."""
    courts: dict[str, str] = {}
    violations: dict[str, OrganizationRule] = {}
    for unit in units.values():
        rule = _violation(units, unit)
        if rule is None and unit.kind is UnitKind.COURT and courts.setdefault(unit.court or "", unit.id) != unit.id:
            rule = OrganizationRule.UNIT_COURT
        if rule is not None:
            violations[unit.id] = rule
    return violations


def is_label(text: str) -> bool:
    """Whether a text can be a name: printable, neither empty nor long, no space at its ends."""
    return 0 < len(text) <= MAX_NAME_LENGTH and text.isprintable() and text == text.strip()


def _violation(units: Mapping[str, Unit], unit: Unit) -> OrganizationRule | None:
    if not (is_label(unit.zh) and is_label(unit.en)):
        return OrganizationRule.UNIT_NAME
    parent = units.get(unit.parent or "")
    if (unit.parent is not None and parent is None) or (parent and parent.kind) not in _PARENTS[unit.kind]:
        return OrganizationRule.UNIT_PARENT
    line = _ancestors(units, unit)
    if units[line[-1]].parent in line:
        return OrganizationRule.UNIT_CYCLE
    if unit.kind in {UnitKind.REGION, UnitKind.COURT}:
        return _top_violation(unit)
    court = next((units[name] for name in line if units[name].kind is UnitKind.COURT), None)
    # The prefix keeps an invented id from being another court's, and from revealing whether that one exists.
    own = court is not None and unit.id.startswith(f"{court.id}-") and len(unit.id) <= MAX_ID_LENGTH
    if court is None or not own or not _REST.fullmatch(unit.id[len(court.id) + 1 :]):
        return OrganizationRule.UNIT_ID
    return None if unit.court == court.court else OrganizationRule.UNIT_COURT


def _top_violation(unit: Unit) -> OrganizationRule | None:
    if not _TOP_ID.fullmatch(unit.id):
        return OrganizationRule.UNIT_ID
    fits = unit.court is None if unit.kind is UnitKind.REGION else bool(_COURT.fullmatch(unit.court or ""))
    return None if fits else OrganizationRule.UNIT_COURT


def _ancestors(units: Mapping[str, Unit], unit: Unit) -> list[str]:
    """Ids from the unit to its root; stops before an id comes twice, or where a parent is missing."""
    line = [unit.id]
    parent = unit.parent
    while parent is not None and parent in units and parent not in line:
        line.append(parent)
        parent = units[parent].parent
    return line
