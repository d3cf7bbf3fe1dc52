"""
How one leaf is read: days, months, flags and codes that several agencies write alike.

Every reader takes a closed list of spellings and raises `ValueError` for anything else.  Its text never quotes the
leaf, which may be a birth date.
"""

import re
import unicodedata
from datetime import date, timedelta
from typing import Any, Final

from adapters.mapping import CodeTable, text
from schemas.codes import Sex

_DAY = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])")
_MILLISECONDS = re.compile(r"-?[0-9]{1,15}")
_MS_PER_DAY: Final = 86_400_000
_MS_OF_CHINA: Final = 28_800_000
_ONE_SPELLING: Final = str.maketrans({"•": "·", "・": "·", "‧": "·", "∙": "·", "、": ","})
_FIRST_DAY: Final = date(1970, 1, 1)


def folded(raw: str) -> str:
    """
    Brings a text to one width and one kind of dot, without blanks: `吊销, 未注销` and `吊销，未注销` become equal.

    For comparing only; what is shown is the text as the agency wrote it.
    """
    narrow = re.sub(r"\s+", "", unicodedata.normalize("NFKC", raw))
    return narrow.translate(_ONE_SPELLING).casefold()


def day(raw: Any) -> date:
    """Reads `20150618` (text or number) or `2015-06-18`.  A year or a month alone is no day."""
    found = _DAY.fullmatch(text(raw))
    if found is None:
        raise ValueError("not a day")
    return date(int(found[1]), int(found[3]), int(found[4]))


def month(raw: Any) -> str:
    """Reads `202312` (text or number) as `2023-12`, and adds no day to it."""
    found = _MONTH.fullmatch(text(raw))
    if found is None or found[1] == "0000":
        raise ValueError("not a month")
    return f"{found[1]}-{found[2]}"


def ms_day(raw: Any) -> date:
    """
    Reads milliseconds since 1970 of a midnight in China: 1434556800000 is 2015-06-18 there (and the 17th in UTC).

    A moment that is no midnight in China is another format (20150618, seconds) and raises `ValueError`.
    """
    written = text(raw)
    if _MILLISECONDS.fullmatch(written) is None:
        raise ValueError("not milliseconds")
    days, rest = divmod(int(written) + _MS_OF_CHINA, _MS_PER_DAY)
    if rest:
        raise ValueError("not a midnight in China")
    return _FIRST_DAY + timedelta(days=days)


def registry_day(raw: Any) -> date:
    """Reads a registry's day, which comes as the milliseconds of `ms_day` or as the text of `day`."""
    return day(raw) if isinstance(raw, str) and _DAY.fullmatch(raw.strip()) else ms_day(raw)


def _plain_number(raw: str) -> str:
    stripped = raw.strip()
    return stripped.lstrip("0") or "0" if re.fullmatch("[0-9]+", stripped) else stripped


YES_NO: Final = CodeTable("yes or no", {"0": False, "1": True})

SEX: Final = CodeTable(
    "GB/T 2261.1",
    {
        "0": Sex.UNKNOWN,
        "1": Sex.MALE,
        "2": Sex.FEMALE,
        "9": Sex.NOT_STATED,
        "男": Sex.MALE,
        "女": Sex.FEMALE,
    },
    fold=_plain_number,  # some regions send 01 and 02
)
