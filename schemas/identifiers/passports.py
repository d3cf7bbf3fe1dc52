"""
Passports and other travel papers: text with an issuing country, without a check digit.
"""

import re

from schemas.identifiers.countries import ALPHA_3, ALPHA_3_OF
from schemas.identifiers.errors import IdentifierError, IdentifierRule, IdentifierWarning
from schemas.identifiers.identifier import Findings
from schemas.identifiers.normalize import normalized

_PAPER = re.compile(r"[0-9A-Z]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{3}|[0-9]{3}")

_CHINESE_PASSPORT = r"[EG][0-9A-Z][0-9]{7,8}"
_MAINLAND_PERMIT = r"[HM](?:[0-9]{8}|[0-9]{10})"  # 回乡证, with or without the issue count
_TAIWAN_PERMIT = r"[0-9]{8}"  # 台胞证

# Usual forms of these issuers.  China issues all three; callers also name the holder's own region.
_USUAL = {
    "CHN": re.compile(f"{_CHINESE_PASSPORT}|{_MAINLAND_PERMIT}|{_TAIWAN_PERMIT}"),
    "HKG": re.compile(_MAINLAND_PERMIT),
    "MAC": re.compile(_MAINLAND_PERMIT),
    "TWN": re.compile(_TAIWAN_PERMIT),
}


def issuing_country(text: str | None) -> str:
    """
    The issuer's alpha-3 code; a numeric code is translated.  Raises `IdentifierError` if it is neither.
    """
    country = normalized(text or "")
    if not _COUNTRY.fullmatch(country):
        raise IdentifierError(IdentifierRule.COUNTRY_REQUIRED)
    return ALPHA_3_OF.get(country, country)


def check_travel_paper(value: str, country: str) -> Findings:
    """A passport or travel paper of a country.  Raises `IdentifierError`."""
    if not _PAPER.fullmatch(value):
        raise IdentifierError(IdentifierRule.TRAVEL_PAPER_FORMAT)
    doubts = {
        IdentifierWarning.COUNTRY_UNKNOWN: country not in ALPHA_3,
        IdentifierWarning.PAPER_FORM_UNUSUAL: country in _USUAL and not _USUAL[country].fullmatch(value),
    }
    return Findings(tuple(doubt for doubt, raised in doubts.items() if raised))
