"""
Masks: a value is shown so that it can be recognised, but not read.

The number of bullets is fixed, so that a masked value does not reveal its length.
"""

from collections.abc import Callable
from typing import Final

from schemas.codes import Code

BULLETS: Final = "••••••"


class Mask(Code):
    """The part of a text that stays visible."""

    ENDS = "ends", "保留首尾", "The first four and the last four characters"
    LAST = "last", "仅保留末尾", "The last four characters"
    FIRST = "first", "仅保留首字", "The first character"
    ALL = "all", "全部遮盖", "Nothing"

    def apply(self, text: str) -> str:
        """The masked text; bullets only, for a text too short for its mask."""
        shown = _SHOWN[self](text)
        return shown if len(text) > len(shown) - len(BULLETS) else BULLETS


_SHOWN: Final[dict[Mask, Callable[[str], str]]] = {
    Mask.ENDS: lambda text: f"{text[:4]}{BULLETS}{text[-4:]}" if len(text) > 8 else BULLETS,
    Mask.LAST: lambda text: f"{BULLETS}{text[-4:]}",
    Mask.FIRST: lambda text: f"{text[:1]}{BULLETS}",
    Mask.ALL: lambda _text: BULLETS,
}
