"""
How one leaf is read: days, months, flags and codes that several agencies write alike.

Every reader takes a closed list of spellings and raises `ValueError` for anything else.  Its text never quotes the
leaf, which may be a birth date.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from adapters.mapping import CodeTable, text
from schemas.china_time import day_in_china, day_start
from schemas.codes import Sex

_DAY = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])")
_MILLISECONDS = re.compile(r"-?[0-9]{1,15}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    In the summers of 1986 to 1991 midnight was an hour earlier.

    A moment that is no midnight in China is another format (20150618, seconds) and raises `ValueError`.
    """
    written = text(raw)
    if _MILLISECONDS.fullmatch(written) is None:
        raise ValueError("not milliseconds")
    try:
        moment = _EPOCH + timedelta(milliseconds=int(written))
        stated = day_in_china(moment)
    except OverflowError:
        raise ValueError("not milliseconds of a year up to 9999") from None
    if day_start(stated) != moment:
        raise ValueError("not a midnight in China")
    return stated


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
