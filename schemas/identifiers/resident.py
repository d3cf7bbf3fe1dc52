"""
Numbers of people in China: residents (GB 11643-1999), Hong Kong, Macao and Taiwan residents, foreign residents.

    region 6 · birth date 8 · sequence 3 (odd: male, even: female) · check 1
"""

import re
from datetime import date

from schemas.codes import IdType, Sex
from schemas.identifiers.check_digits import resident_check
from schemas.identifiers.countries import ALPHA_3, NUMERIC
from schemas.identifiers.days import real_day, years_between
from schemas.identifiers.errors import IdentifierError, IdentifierRule, IdentifierWarning
from schemas.identifiers.identifier import Findings, Identifier
from schemas.identifiers.regions import PROVINCES, region_doubts

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_PERMANENT = re.compile(r"9[0-9]{16}[0-9X]")
_PERMANENT_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")

_PERMIT_REGIONS = ("810000", "820000", "830000")
_CENTENARIANS = range(996, 1000)


def check_resident_id(value: str, today: date) -> Findings:
    """A citizen's number, 18 or 15 characters.  Raises `IdentifierError`."""
    if _FIFTEEN.fullmatch(value):
        upgraded = _upgraded(value)
        born = _birth_date(upgraded, today)
        doubts = (IdentifierWarning.NO_CHECK_DIGIT, *_doubts(upgraded, born, today))
        return Findings(doubts, equivalents=(upgraded,))
    if not _EIGHTEEN.fullmatch(value):
        raise IdentifierError(IdentifierRule.RESIDENT_ID_FORMAT)
    born = _birth_date(value, today)
    _check(value)
    return Findings(_doubts(value, born, today))


def check_residence_permit(value: str, today: date) -> Findings:
    """A number of a residence permit for Hong Kong, Macao and Taiwan residents.  Raises `IdentifierError`."""
    if not _EIGHTEEN.fullmatch(value):
        raise IdentifierError(IdentifierRule.RESIDENCE_PERMIT_FORMAT)
    if not value.startswith(_PERMIT_REGIONS):
        raise IdentifierError(IdentifierRule.RESIDENCE_PERMIT_REGION)
    _birth_date(value, today)
    _check(value)
    return Findings()


def check_permanent_residence(value: str, today: date) -> Findings:
    """
    A number of a foreigner's permanent residence ID, of the card since December 2023 or the one before.

    The layout of the new one (9 · office 2 · nationality 3 · birth 8 · sequence 3 · check 1) is not published as
    binding: only first digit, length and check are hard.  Raises `IdentifierError`.
    """
    if _PERMANENT_OLD.fullmatch(value):
        return Findings(() if value[:3] in ALPHA_3 else (IdentifierWarning.NATIONALITY_UNKNOWN,))
    if not _PERMANENT.fullmatch(value):
        raise IdentifierError(IdentifierRule.PERMANENT_RESIDENCE_FORMAT)
    _check(value)
    born = real_day(value[6:14])
    doubts = {
        IdentifierWarning.REGION_UNKNOWN: value[1:3] not in PROVINCES,
        IdentifierWarning.NATIONALITY_UNKNOWN: value[3:6] not in NUMERIC,
        IdentifierWarning.BIRTH_DATE_DOUBTFUL: born is None or born > today,
    }
    return Findings(tuple(doubt for doubt, raised in doubts.items() if raised))


def born_on(identifier: Identifier) -> date | None:
    """
    The birth date inside the number, or None if there is none.

    In a permanent residence ID it follows the usual layout, which is not binding.
    """
    match identifier.id_type:
        case IdType.RESIDENT_ID | IdType.RESIDENCE_PERMIT:
            return real_day(identifier.canonical_value[6:14])
        case IdType.PERMANENT_RESIDENCE if len(identifier.value) == 18:
            return real_day(identifier.value[6:14])
        case _:
            return None


def sex_of(identifier: Identifier) -> Sex | None:
    """The sex that the sequence digit stands for, or None if the number has none."""
    if identifier.id_type not in {IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT}:
        return None
    return Sex.MALE if int(identifier.canonical_value[16]) % 2 else Sex.FEMALE


def is_under_14(identifier: Identifier, today: date) -> bool:
    """Whether the number is a child's, whose data are sensitive as a whole.  False where no birth date is known."""
    born = born_on(identifier)
    return born is not None and years_between(born, today) < 14


def _upgraded(fifteen: str) -> str:
    digits = f"{fifteen[:6]}19{fifteen[6:]}"
    return digits + resident_check(digits)


def _birth_date(eighteen: str, today: date) -> date:
    born = real_day(eighteen[6:14])
    if born is None:
        raise IdentifierError(IdentifierRule.BIRTH_DATE)
    if born > today:
        raise IdentifierError(IdentifierRule.BIRTH_IN_FUTURE)
    return born


def _check(eighteen: str) -> None:
    if resident_check(eighteen[:17]) != eighteen[17]:
        raise IdentifierError(IdentifierRule.CHECK_DIGIT)


def _doubts(eighteen: str, born: date, today: date) -> tuple[IdentifierWarning, ...]:
    age = (IdentifierWarning.AGE_OVER_130,) if years_between(born, today) > 130 else ()
    sequence = (IdentifierWarning.CENTENARIAN_SEQUENCE,) if int(eighteen[14:17]) in _CENTENARIANS else ()
    return (*region_doubts(eighteen[:6], born.year), *age, *sequence)
