"""
Transforms of values for forms: dates as the court writes them, names of codes and of regions.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

from schemas.codes import Code
from schemas.identifiers.regions import region_name


class Transform(Code):
    """One way to write a value.  Values of another type stay as they are."""

    DATE_ZH = "date_zh", "年月日", "A date as 2026年3月2日"
    DATE_PLAIN = "date_plain", "八位日期", "A date as 20260302"
    ZH = "zh", "中文名称", "A code by its Chinese name"
    EN = "en", "英文名称", "A code by its English name"
    YES_NO = "yes_no", "是/否", "是 or 否"
    UPPER = "upper", "大写", "Capital letters"
    REGION = "region", "区划名称", "A region by its name where our table has it, else by its code"

    def apply(self, value: object, today: date) -> object:
        """The value as it is written."""
        return _APPLY[self](value, today)


def written(value: object) -> str | bool | int:
    """A value without a transform, as JSON has it."""
    if isinstance(value, bool | int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _date_zh(value: object, _today: date) -> object:
    return f"{value.year}年{value.month}月{value.day}日" if isinstance(value, date) else value


def _date_plain(value: object, _today: date) -> object:
    return f"{value:%Y%m%d}" if isinstance(value, date) else value


def _yes_no(value: object, _today: date) -> object:
    return ("是" if value else "否") if isinstance(value, bool) else value


def _region(value: object, today: date) -> object:
    return region_name(value, today.year) or value if isinstance(value, str) else value


_APPLY: Final[dict[Transform, Callable[[object, date], object]]] = {
    Transform.DATE_ZH: _date_zh,
    Transform.DATE_PLAIN: _date_plain,
    Transform.ZH: lambda value, _today: value.zh if isinstance(value, Code) else value,
    Transform.EN: lambda value, _today: value.en if isinstance(value, Code) else value,
    Transform.YES_NO: _yes_no,
    Transform.UPPER: lambda value, _today: value.upper() if isinstance(value, str) else value,
    Transform.REGION: _region,
}
