"""
Synthetic organizations, each derived from the seed and an index when asked for.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mock_agencies import check_digits
from mock_agencies.population import names
from mock_agencies.population.draws import Draw, Shuffle
from mock_agencies.population.places import PLACES, SyntheticAddress, SyntheticPlace, premises

_CODE_PREFIX: Final = "DEM"
_FIRST_CODE: Final = 31**4  # below it: the cast
CODES: Final = 30 * 31**4
_FIRST_SEQUENCE: Final = 10_000_000  # of registration numbers
_CODES_SINCE: Final = date(2015, 10, 1)  # unified codes; organizations founded before also have a registration number

COMPANY: Final = "有限责任公司(自然人投资或控股)"
SOLE_TRADER: Final = "个体工商户"
COOPERATIVE: Final = "农民专业合作社"

ACTIVE: Final = "存续（在营、开业、在册）"
REVOKED: Final = "吊销，未注销"
REVOKED_DEREGISTERED: Final = "吊销，已注销"
DEREGISTERED: Final = "注销"
RESCINDED: Final = "撤销"
MOVED_OUT: Final = "迁出"
OTHER: Final = "其他"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Closed for a time (歇业): from, until, and where and by whom legal documents are received meanwhile."""

    since: date
    until: date
    address: SyntheticAddress
    recipient: str


@dataclass(frozen=True, slots=True)
class ServiceRecipient:
    """The recipient of legal documents that a foreign-invested company has filed."""

    name: str
    address: SyntheticAddress
    telephone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticOrganization:
    """
    All facts about one organization as its registry holds them.

    `representative` and `officer` are indexes of persons; `registered` is False for organizations of another registry
    (institutions, associations, law firms), which market regulation does not hold.
    """

    index: int
    uscc: str | None
    registration_number: str | None
    name: str
    type_text: str
    state_text: str
    registry: str
    representative: int
    officer: int
    domicile: SyntheticAddress
    telephone: str
    founded: date
    approved: date
    capital: float
    scope: str
    business_place: SyntheticAddress | None = None
    former_name: str | None = None
    term_to: date | None = None
    suspension: Suspension | None = None
    recipient: ServiceRecipient | None = None
    abnormal_reason: str | None = None
    registered: bool = True

    @property
    def representative_title(self) -> str:
        """The title of the representative, by the type of organization."""
        return "经营者" if self.type_text == SOLE_TRADER else "法定代表人"


def code_body(shuffle: Shuffle, index: int) -> str:
    """Returns the 8 characters of an index's organization code: the prefix and a counter in base 31."""
    counter, letters = _FIRST_CODE + shuffle.out(index), ""
    for _ in range(5):
        counter, digit = divmod(counter, 31)
        letters = check_digits.USCC_ALPHABET[digit] + letters
    return _CODE_PREFIX + letters


def index_of_code(shuffle: Shuffle, uscc: str) -> int | None:
    """Returns the index whose unified code this may be, or None."""
    if not check_digits.is_uscc(uscc) or not uscc[8:].startswith(_CODE_PREFIX):
        return None
    counter = 0
    for character in uscc[11:16]:
        counter = counter * 31 + check_digits.USCC_ALPHABET.index(character)
    slot = counter - _FIRST_CODE
    return shuffle.back(slot) if 0 <= slot < CODES else None


def index_of_registration(shuffle: Shuffle, number: str) -> int | None:
    """Returns the index whose registration number this may be, or None."""
    if len(number) != 15 or not (number.isascii() and number.isdigit()):
        return None
    slot = int(number[6:14]) - _FIRST_SEQUENCE
    return shuffle.back(slot) if 0 <= slot < CODES else None


def derive(seed: int, shuffle: Shuffle, index: int, representative: int, officer: int) -> SyntheticOrganization:
    """
    Derives the organization of an index: mostly companies, a few sole traders and cooperatives, some of them gone.

    The persons are given by their indexes.
    """
    draw = Draw(seed, "organization", index)
    place = draw.one_of(PLACES)
    authority, type_text, name = _style(place, draw)
    domicile = premises(place, draw)
    founded = date(2001, 1, 1) + timedelta(days=draw.below(9_000))
    early = founded < _CODES_SINCE
    code = check_digits.uscc(authority, place.region, code_body(shuffle, index))
    return SyntheticOrganization(
        index=index,
        uscc=code,
        registration_number=_registration_number(place, shuffle, index) if early else None,
        name=name,
        type_text=type_text,
        state_text=_state(draw),
        registry=f"{place.name}市场监督管理局",
        representative=representative,
        officer=officer,
        domicile=domicile,
        business_place=premises(place, draw) if draw.chance(20) else None,
        telephone=names.landline(draw),
        founded=founded,
        approved=founded + timedelta(days=draw.below(1_500)),
        term_to=founded.replace(year=founded.year + 30, day=1) if draw.chance(25) else None,
        capital=float((draw.below(50) + 1) * 10),
        scope=f"{names.trade(draw)}；依法须经批准的项目，经相关部门批准后方可开展经营活动",
        abnormal_reason="通过登记的住所（经营场所）无法联系" if draw.chance(5) else None,
    )


def _style(place: SyntheticPlace, draw: Draw) -> tuple[str, str, str]:
    brand, drawn = names.brand(draw), draw.below(100)
    if drawn < 12:
        return "92", SOLE_TRADER, f"{place.name}{brand}{names.shop(draw)}"
    if drawn < 16:
        return "93", COOPERATIVE, f"{place.name}{brand}农产品专业合作社"
    return "91", COMPANY, f"衢州{brand}{names.trade(draw)}有限公司"


def _state(draw: Draw) -> str:
    drawn = draw.below(100)
    if drawn < 84:
        return ACTIVE
    return DEREGISTERED if drawn < 94 else REVOKED


def _registration_number(place: SyntheticPlace, shuffle: Shuffle, index: int) -> str:
    return check_digits.registration_number(f"{place.region}{_FIRST_SEQUENCE + shuffle.out(index):08d}")
