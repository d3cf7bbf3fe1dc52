"""
Normalization before a check: width, spaces, hyphens, case.  Nothing else is repaired (no O→0, no I→1).
"""

import string

# A closed table, not `str.upper` or `unicodedata`: those would turn ı into I and the Kelvin sign into K.
_WIDTH = {ord(plain) + 0xFEE0: plain for plain in string.digits + string.ascii_letters}
_CASE = {ord(small): small.upper() for small in string.ascii_lowercase}
_FOLDED = {wide: plain.upper() for wide, plain in _WIDTH.items()} | _CASE

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DROPPED = frozenset(_ZERO_WIDTH + _HYPHENS)

_OPENING = dict.fromkeys(map(ord, "（〔［["), "(")
_CLOSING = dict.fromkeys(map(ord, "）〕］]"), ")")
_CASE_NUMBER = {wide: plain for wide, plain in _WIDTH.items() if plain in string.digits} | _OPENING | _CLOSING


def normalized(text: str) -> str:
    """
    The text in half width and upper case, without spaces and hyphens of any kind.
    """
    return _without(text, _DROPPED).translate(_FOLDED)


def normalized_case_number(text: str) -> str:
    """
    The case number with digits and brackets in half width, without spaces.
    """
    return _without(text, frozenset(_ZERO_WIDTH)).translate(_CASE_NUMBER)


def _without(text: str, dropped: frozenset[str]) -> str:
    return "".join(character for character in text if not (character.isspace() or character in dropped))
