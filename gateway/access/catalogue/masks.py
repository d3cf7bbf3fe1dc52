"""
Masks: how a value is shown to somebody whose task needs to recognise it, and not to know it.

The number of bullets is fixed, so that a masked value does not even tell its length.
"""

from collections.abc import Callable
from typing import Final

from schemas.codes import Code

BULLETS: Final = "••••••"


class Mask(Code):
    """What is left to be seen of a text."""

    ENDS = "ends", "保留首尾", "The first four and the last four characters"
    LAST = "last", "仅保留末尾", "The last four characters"
    FIRST = "first", "仅保留首字", "The first character"
    ALL = "all", "全部遮盖", "Nothing"

    def apply(self, text: str) -> str:
        """The text as it may be shown.  Of a text too short for its mask nothing is shown but the bullets."""
        shown = _SHOWN[self](text)
        return shown if len(text) > len(shown) - len(BULLETS) else BULLETS


_SHOWN: Final[dict[Mask, Callable[[str], str]]] = {
    Mask.ENDS: lambda text: f"{text[:4]}{BULLETS}{text[-4:]}" if len(text) > 8 else BULLETS,
    Mask.LAST: lambda text: f"{BULLETS}{text[-4:]}",
    Mask.FIRST: lambda text: f"{text[:1]}{BULLETS}",
    Mask.ALL: lambda _text: BULLETS,
}
