"""
The arithmetic of Chinese identifiers: to make well-formed synthetic numbers, and to refuse ill-formed ones.
"""

from datetime import date

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
_RESIDENT_LENGTH = 18

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {character: value for value, character in enumerate(USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(3**position % 31 for position in range(17))
_USCC_LENGTH = 18

_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def resident_number(body: str) -> str:
    """Appends the check digit to the 17 digits of a resident number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, body, strict=True))
    return body + _RESIDENT_CHECKS[total % 11]


def is_resident_number(text: str) -> bool:
    """Tells whether a text is an 18-character resident number with a real birth date and the right check digit."""
    body = text[:17]
    if len(text) != _RESIDENT_LENGTH or not (body.isascii() and body.isdigit()):
        return False
    if not body.startswith("9") and not _is_day(text[6:14]):
        return False
    return resident_number(body) == text


def _is_day(compact: str) -> bool:
    try:
        date(int(compact[:4]), int(compact[4:6]), int(compact[6:]))
    except ValueError:
        return False
    return True


def organization_code(body: str) -> str:
    """Appends the check character to the 8 characters of an organization code (GB 11714)."""
    total = sum(weight * int(character, 36) for weight, character in zip(_ORGANIZATION_WEIGHTS, body, strict=True))
    check = 11 - total % 11
    return body + {10: "X", 11: "0"}.get(check, str(check))


def uscc(authority: str, region: str, body: str) -> str:
    """
    Builds a unified social credit code (GB 32100): authority and category (2), region (6), organization code body (8).
    """
    text = authority + region + organization_code(body)
    total = sum(weight * _USCC_VALUES[character] for weight, character in zip(_USCC_WEIGHTS, text, strict=True))
    return text + USCC_ALPHABET[-total % 31]


def is_uscc(text: str) -> bool:
    """Tells whether a text is a unified social credit code with the right check character."""
    if len(text) != _USCC_LENGTH or any(character not in _USCC_VALUES for character in text):
        return False
    total = sum(weight * _USCC_VALUES[character] for weight, character in zip(_USCC_WEIGHTS, text[:17], strict=True))
    return USCC_ALPHABET[-total % 31] == text[17]


def registration_number(body: str) -> str:
    """Appends the check digit to the 14 digits of a registration number (ISO 7064 MOD 11,10)."""
    carry = 10
    for digit in body:
        carry = 2 * ((carry + int(digit)) % 10 or 10) % 11
    return body + str((11 - carry) % 10)
