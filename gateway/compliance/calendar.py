"""
The court's days and hours: Asia/Shanghai, Monday to Friday, unless configured otherwise.

China moves working days around its holidays by decree, every year anew; so those days are data and no calculation.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Self

from adapters.errors import ConfigurationError
from schemas.china_time import CHINA


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtCalendar:
    """
    When a court works.  `holidays` are days off that are no weekend, `workdays` weekend days that are worked.
    """

    opens: time = time(8)
    closes: time = time(18)
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """The calendar of a TOML file (`opens`, `closes`, `holidays`, `workdays`).  Raises `ConfigurationError`."""
        if path is None:
            return cls()
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            given = None
        if given is None:
            raise ConfigurationError(f"{path}: cannot be read as TOML; name another file, or correct it")
        hours = {name: given.pop(name) for name in ("opens", "closes") if name in given}
        days = {name: given.pop(name, []) for name in ("holidays", "workdays")}
        if given:
            raise ConfigurationError(
                f"{path}: unknown: {', '.join(sorted(given))}; there are opens, closes, holidays, workdays"
            )
        if not all(isinstance(value, time) for value in hours.values()):
            raise ConfigurationError(f"{path}: opens and closes are times, such as 08:00:00")
        if not all(type(day) is date for listed in days.values() for day in listed):
            raise ConfigurationError(f"{path}: holidays and workdays are lists of days, such as 2026-10-01")
        off, worked = frozenset(days["holidays"]), frozenset(days["workdays"])
        calendar = cls(**hours, holidays=off, workdays=worked)
        if calendar.opens >= calendar.closes:
            raise ConfigurationError(f"{path}: opens must be before closes")
        return calendar

    def works_on(self, day: date) -> bool:
        """Whether the court works on a day."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment lies within the court's hours."""
        local = moment.astimezone(CHINA)
        return self.works_on(local.date()) and self.opens <= local.time().replace(tzinfo=None) < self.closes
