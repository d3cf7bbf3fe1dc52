"""
Numbers of organizations: unified social credit code (GB 32100-2015), organization code (GB 11714), registration number.

    USCC:  authority 1 · category 1 · region 6 · organization code 9 · check 1
"""

import re

from schemas.identifiers.authorities import Authority, registering_authority
from schemas.identifiers.check_digits import USCC_ALPHABET, organization_check, registration_check, uscc_check
from schemas.identifiers.errors import IdentifierError, IdentifierRule, IdentifierWarning
from schemas.identifiers.identifier import Findings
from schemas.identifiers.regions import is_registry

_DIGITS = re.compile(r"[0-9]+")
_ORGANIZATION_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_REGISTRATION_NUMBER = re.compile(r"[0-9]{15}")


def check_uscc(value: str) -> Findings:
    """A unified social credit code of any registering authority.  Raises `IdentifierError`."""
    if len(value) != 18:
        raise IdentifierError(IdentifierRule.USCC_LENGTH)
    if not set(value) <= set(USCC_ALPHABET):
        raise IdentifierError(IdentifierRule.USCC_ALPHABET)
    if not _DIGITS.fullmatch(value[2:8]):
        raise IdentifierError(IdentifierRule.USCC_REGION)
    if uscc_check(value[:17]) != value[17]:
        raise IdentifierError(IdentifierRule.CHECK_CHARACTER)
    doubts = {
        IdentifierWarning.AUTHORITY_UNKNOWN: registering_authority(value) is Authority.UNKNOWN,
        IdentifierWarning.REGION_UNKNOWN: not is_registry(value[2:8]),
        IdentifierWarning.EMBEDDED_CODE: organization_check(value[8:16]) != value[16],
    }
    return Findings(tuple(doubt for doubt, raised in doubts.items() if raised))


def check_organization_code(value: str) -> Findings:
    """An organization code as it was issued until 2015.  Raises `IdentifierError`."""
    if not _ORGANIZATION_CODE.fullmatch(value):
        raise IdentifierError(IdentifierRule.ORGANIZATION_CODE_FORMAT)
    if organization_check(value[:8]) != value[8]:
        raise IdentifierError(IdentifierRule.CHECK_CHARACTER)
    return Findings()


def check_registration_number(value: str) -> Findings:
    """A registration number of 15 digits: registry region 6 · sequence 8 · check 1.  Raises `IdentifierError`."""
    if not _REGISTRATION_NUMBER.fullmatch(value):
        raise IdentifierError(IdentifierRule.REGISTRATION_NUMBER_FORMAT)
    if registration_check(value[:14]) != value[14]:
        raise IdentifierError(IdentifierRule.CHECK_CHARACTER)
    return Findings(() if is_registry(value[:6]) else (IdentifierWarning.REGION_UNKNOWN,))
