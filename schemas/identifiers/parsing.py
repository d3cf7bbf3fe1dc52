"""
Parsing of identifiers: the caller states the kind; broken arithmetic is an error, an unlisted code a warning.
"""

from datetime import UTC, date, datetime

from schemas.china_time import day_in_china
from schemas.codes import IdType
from schemas.identifiers.identifier import Findings, Identifier
from schemas.identifiers.normalize import normalized
from schemas.identifiers.organization import check_organization_code, check_registration_number, check_uscc
from schemas.identifiers.passports import check_travel_paper, issuing_country
from schemas.identifiers.resident import check_permanent_residence, check_residence_permit, check_resident_id


def parse(id_type: IdType, text: str, *, country: str | None = None, today: date | None = None) -> Identifier:
    """
    Reads `text` as a number of the stated kind; the kind is never guessed from the digits.

    `country` is the ISO 3166-1 code of a travel paper's issuer; other kinds ignore it.  `today` is the date in China
    unless given.  Raises `IdentifierError` and nothing else.
    """
    value = normalized(text)
    issuer = issuing_country(country) if id_type is IdType.PASSPORT else None
    findings = _checked(id_type, value, issuer or "", today or day_in_china(datetime.now(UTC)))
    return Identifier(
        id_type=id_type,
        value=value,
        as_written=text,
        country=issuer,
        warnings=findings.warnings,
        equivalents=findings.equivalents,
    )


def _checked(id_type: IdType, value: str, issuer: str, today: date) -> Findings:  # noqa: PLR0911 - one return for each kind
    match id_type:
        case IdType.RESIDENT_ID:
            return check_resident_id(value, today)
        case IdType.RESIDENCE_PERMIT:
            return check_residence_permit(value, today)
        case IdType.PERMANENT_RESIDENCE:
            return check_permanent_residence(value, today)
        case IdType.PASSPORT:
            return check_travel_paper(value, issuer)
        case IdType.USCC:
            return check_uscc(value)
        case IdType.ORGANIZATION_CODE:
            return check_organization_code(value)
        case IdType.REGISTRATION_NUMBER:
            return check_registration_number(value)
