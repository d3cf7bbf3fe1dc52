"""
Administrative divisions inside identifiers (GB/T 2260): a table that is whole for Zhejiang, and by province elsewhere.

The region of a number is where it was first issued: not an address, and not the present household.
"""

from dataclasses import dataclass
from importlib.resources import files

from schemas.identifiers.errors import IdentifierWarning

# First two digits of the regions that number residents.  81, 82 and 83 number holders of a residence permit.
_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"
PROVINCES = frozenset(_PROVINCES.split())

_TABLED_PROVINCE = "33"
_NATIONAL_REGISTRY = "100000"

# Resident numbers exist since 1984; people born earlier were numbered with the codes of 1985.
_FIRST_NUMBERED = 1985


@dataclass(frozen=True, slots=True)
class Division:
    """A name of a code, and the years in which it was in force; a year of change counts for both names."""

    name: str
    since: int
    until: int

    def in_force(self, year: int) -> bool:
        return self.since <= year <= self.until


def _table() -> dict[str, tuple[Division, ...]]:
    text = files(__package__).joinpath("regions.tsv").read_text(encoding="utf-8")
    table: dict[str, tuple[Division, ...]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            code, name, since, until = line.split("\t")
            division = Division(name, 0 if since == "-" else int(since), 9999 if until == "-" else int(until))
            table[code] = (*table.get(code, ()), division)
    return table


_DIVISIONS = _table()


def region_doubts(code: str, birth_year: int) -> tuple[IdentifierWarning, ...]:
    """The warnings about the region of a resident number, given the year of birth."""
    if not is_division(code):
        return (IdentifierWarning.REGION_UNKNOWN,)
    if code in _DIVISIONS and not _divisions(code, birth_year):
        return (IdentifierWarning.REGION_NOT_IN_FORCE,)
    return ()


def region_name(code: str, birth_year: int) -> str | None:
    """
    The division where a number was first issued, or None: codes were used again for other places, and years overlap.
    """
    names = [division.name for division in _divisions(code, birth_year)]
    return names[0] if len(names) == 1 else None


def is_division(code: str) -> bool:
    """Whether the code is a division of any year, as far as our table reaches."""
    return code in _DIVISIONS if code.startswith(_TABLED_PROVINCE) else code[:2] in PROVINCES


def is_registry(code: str) -> bool:
    """Whether a registry of organizations may have this code; the national one has a code of its own."""
    return code == _NATIONAL_REGISTRY or is_division(code)


def _divisions(code: str, birth_year: int) -> list[Division]:
    year = max(birth_year, _FIRST_NUMBERED)
    return [division for division in _DIVISIONS.get(code, ()) if division.in_force(year)]
