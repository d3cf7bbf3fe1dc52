"""
Quzhou's districts and counties, as regions of numbers and as places of addresses.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from mock_agencies.population import names
from mock_agencies.population.draws import Draw


@dataclass(frozen=True, slots=True)
class SyntheticAddress:
    """An address as text, with the six-digit code of its region and its postcode."""

    text: str
    region: str
    postcode: str


@dataclass(frozen=True, slots=True)
class SyntheticPlace:
    """A district, county or county-level city of Quzhou today."""

    region: str
    name: str
    postcode: str
    towns: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The place as every address in it begins: a county-level city and a county stand beside the city's name."""
        return f"浙江省衢州市{self.name}" if self.name.endswith("区") else f"浙江省{self.name}"


PLACES: Final = (
    SyntheticPlace("330802", "柯城区", "324000", ("荷花街道", "信安街道", "石梁镇")),
    SyntheticPlace("330803", "衢江区", "324022", ("樟潭街道", "浮石街道", "廿里镇")),
    SyntheticPlace("330822", "常山县", "324200", ("天马街道", "紫港街道", "球川镇")),
    SyntheticPlace("330824", "开化县", "324300", ("华埠镇", "芹阳街道", "马金镇")),
    SyntheticPlace("330825", "龙游县", "324400", ("龙洲街道", "东华街道", "湖镇镇")),
    SyntheticPlace("330881", "江山市", "324100", ("双塔街道", "虎山街道", "贺村镇")),
)
OLD_QU_COUNTY_UNTIL: Final = date(2002, 1, 1)
JIANGSHAN_COUNTY_BIRTHS_UNTIL: Final = date(1971, 1, 1)  # their first cards were issued before the county became a city


def number_region(place: SyntheticPlace, born_on: date) -> str:
    """Returns the region in a resident number: where it was first issued, under the code of that time."""
    if place.region == "330803" and born_on < OLD_QU_COUNTY_UNTIL:
        return "330821"
    if place.region == "330881" and born_on < JIANGSHAN_COUNTY_BIRTHS_UNTIL:
        return "330823"
    return place.region


def place_of_region(region: str) -> SyntheticPlace | None:
    """Finds the place whose numbers carry this region, or None."""
    return _BY_REGION.get(region)


_BY_REGION: Final = {place.region: place for place in PLACES} | {"330821": PLACES[1], "330823": PLACES[5]}


def home(place: SyntheticPlace, draw: Draw) -> SyntheticAddress:
    """Draws a dwelling in that place."""
    town, street = draw.one_of(place.towns), names.street_and_number(draw)
    dwelling = f"{draw.below(30) + 1}幢{draw.below(6) + 1}0{draw.below(4) + 1}室"
    return SyntheticAddress(f"{place.full_name}{town}{street}{dwelling}", place.region, place.postcode)


def premises(place: SyntheticPlace, draw: Draw) -> SyntheticAddress:
    """Draws a place of business there."""
    town, street = draw.one_of(place.towns), names.street_and_number(draw)
    return SyntheticAddress(f"{place.full_name}{town}{street}", place.region, place.postcode)
