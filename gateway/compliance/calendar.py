"""
The court's days and hours: Asia/Shanghai, Monday to Friday, unless configured otherwise.

China moves working days around its holidays by decree, every year anew; so those days are data and no calculation.
"""

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator

from adapters.config_file import ConfigTable, Day, TimeOfDay, broken_rule, read_config
from schemas.china_time import CHINA


class CourtCalendar(ConfigTable):
    """
    When a court works.  `holidays` are days off that are no weekend, `workdays` weekend days that are worked.
    """

    opens: TimeOfDay = time(8)
    closes: Annotated[TimeOfDay, Field(validate_default=True)] = time(18)
    holidays: frozenset[Day] = frozenset()
    workdays: frozenset[Day] = frozenset()

    @field_validator("closes")
    @classmethod
    def _after_opening(cls, closes: time, info: ValidationInfo) -> time:
        if closes <= info.data.get("opens", time.min):
            raise broken_rule("is not later on the day than opens", "write closes = 18:00:00")
        return closes

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """The calendar of a TOML file.  Raises `ConfigurationError`."""
        return cls() if path is None else read_config(path, cls, fix="name another file in SHUNIU_CALENDAR")

    def works_on(self, day: date) -> bool:
        """Whether the court works on a day."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment lies within the court's hours."""
        local = moment.astimezone(CHINA)
        return self.works_on(local.date()) and self.opens <= local.time().replace(tzinfo=None) < self.closes
