"""
Arithmetic of check characters.  Every function takes text that is already well formed.
"""

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"

# 0-9 and A-Z without I, O, S, V, Z: what GB 32100 leaves so that no letter is taken for a digit.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))

_ORGANIZATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANIZATION_CHECKS = "0X987654321"


def resident_check(digits: str) -> str:
    """The 18th character for 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def uscc_check(characters: str) -> str:
    """The 18th character for 17 of the 31-letter alphabet (GB 32100)."""
    values = map(USCC_ALPHABET.index, characters)
    total = sum(weight * value for weight, value in zip(_USCC_WEIGHTS, values, strict=True))
    return USCC_ALPHABET[-total % 31]


def organization_check(characters: str) -> str:
    """The 9th character for 8 digits or letters (GB 11714)."""
    values = map(_ORGANIZATION_ALPHABET.index, characters)
    total = sum(weight * value for weight, value in zip(_ORGANIZATION_WEIGHTS, values, strict=True))
    return _ORGANIZATION_CHECKS[total % 11]


def registration_check(digits: str) -> str:
    """The 15th digit for 14 digits (ISO 7064 MOD 11,10)."""
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
