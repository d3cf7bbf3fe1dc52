"""
Synthetic persons, each derived from the seed and an index when asked for.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mock_agencies import check_digits
from mock_agencies.population import names
from mock_agencies.population.draws import Draw, Shuffle
from mock_agencies.population.places import PLACES, SyntheticAddress, home, number_region, place_of_region

FIRST_BIRTH: Final = date(1941, 1, 1)
LAST_BIRTH: Final = date(2007, 12, 31)
_BIRTHS: Final = (LAST_BIRTH - FIRST_BIRTH).days + 1
_FIRST_SEQUENCE: Final = 200  # below it: the cast; 996 and above belonged to centenarians
_SEQUENCES: Final = 796
NUMBERS: Final = len(PLACES) * _BIRTHS * _SEQUENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticPerson:
    """
    All facts about one person; each agency's register shows its own, sometimes older, part of them.

    `household` is the place of the household registration; `residence` where the person registered later, if at all,
    and `residence_kind` "1" a registered habitual residence or "9" any other.  `contact` is what the person once told
    human resources.  `names_at` and `numbers_at` hold what a single agency still has instead of today's name or number.
    """

    index: int
    id_number: str
    name: str
    sex: str
    born_on: date
    household: SyntheticAddress
    household_since: date
    telephone: str
    contact: SyntheticAddress
    contact_changed: date
    former_name: str | None = None
    deceased: bool = False
    serving: bool = False
    residence: SyntheticAddress | None = None
    residence_since: date | None = None
    residence_kind: str = "1"
    workplace: str | None = None
    insured: bool = True
    employer: int | None = None
    previous_employer: int | None = None
    names_at: tuple[tuple[str, str], ...] = ()
    numbers_at: tuple[tuple[str, str], ...] = ()

    @property
    def numbers(self) -> frozenset[str]:
        """Every number under which this person is held somewhere."""
        return frozenset([self.id_number, *dict(self.numbers_at).values()])

    def name_at(self, agency: str) -> str:
        """Returns the name under which that agency holds this person."""
        return dict(self.names_at).get(agency, self.name)

    def number_at(self, agency: str) -> str:
        """Returns the number under which that agency holds this person."""
        return dict(self.numbers_at).get(agency, self.id_number)


def number_of(shuffle: Shuffle, index: int) -> str:
    """Returns the resident number of an index."""
    rest, sequence = divmod(shuffle.out(index), _SEQUENCES)
    zone, day = divmod(rest, _BIRTHS)
    born_on = FIRST_BIRTH + timedelta(days=day)
    region = number_region(PLACES[zone], born_on)
    return check_digits.resident_number(f"{region}{born_on:%Y%m%d}{_FIRST_SEQUENCE + sequence:03d}")


def index_of(shuffle: Shuffle, number: str) -> int | None:
    """Returns the index whose number this would be, or None where no index has such a number."""
    place = place_of_region(number[:6])
    if place is None or not check_digits.is_resident_number(number):
        return None
    day = (date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") - FIRST_BIRTH).days
    sequence = int(number[14:17]) - _FIRST_SEQUENCE
    if not (0 <= day < _BIRTHS and 0 <= sequence < _SEQUENCES):
        return None
    index = shuffle.back((PLACES.index(place) * _BIRTHS + day) * _SEQUENCES + sequence)
    return index if number_of(shuffle, index) == number else None


def derive(seed: int, index: int, number: str, organizations: int) -> SyntheticPerson:
    """
    Derives the person of an index and number: a quarter moved, one in thirty died, some changed their name or job.
    """
    draw = Draw(seed, "person", index)
    born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    name = names.person_name(draw)
    household = home(draw.one_of(PLACES), draw)
    household_since = _day_after(max(born_on, date(1986, 1, 1)), date(2012, 12, 31), draw)
    moved = draw.chance(25)
    residence_since = _day_after(date(2013, 1, 1), date(2026, 6, 30), draw)
    deceased = draw.chance(3)
    employed = draw.chance(60)
    employer, previous = draw.below(organizations), draw.below(organizations)
    kept_contact = draw.chance(70)
    return SyntheticPerson(
        index=index,
        id_number=number,
        name=name,
        sex="1" if int(number[16]) % 2 else "2",
        born_on=born_on,
        household=household,
        household_since=household_since,
        telephone=names.mobile(draw),
        contact=household if kept_contact else home(draw.one_of(PLACES), draw),
        contact_changed=_day_after(date(2009, 1, 1), date(2024, 12, 31), draw),
        former_name=names.renamed(name, draw) if draw.chance(4) else None,
        deceased=deceased,
        serving=born_on.year > 1985 and not deceased and draw.chance(1),
        residence=home(draw.one_of(PLACES), draw) if moved else None,
        residence_since=residence_since if moved else None,
        residence_kind="1" if draw.chance(80) else "9",
        insured=draw.chance(90),
        employer=employer if employed and not deceased else None,
        previous_employer=previous if draw.chance(30) else None,
    )


def _day_after(first: date, last: date, draw: Draw) -> date:
    return first + timedelta(days=draw.below(max((last - first).days, 0) + 1))
