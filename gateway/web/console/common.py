"""
Shared parts of the console pages: access by role, form fields, and the wording of records.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends
from pydantic import BeforeValidator, StringConstraints

from audit.format.event import Actor
from gateway.api.dependencies import member_actor
from gateway.api.problems import Problem
from gateway.compliance.phrases import Wording
from gateway.hub import Hub
from gateway.organization.roles import Role
from gateway.web.page import OwnPage, requires
from schemas.china_time import day_in_china


def _or_none(value: Any) -> Any:
    # A form sends what was left empty as an empty text.
    return None if value == "" else value


Blank = BeforeValidator(_or_none)
Day = Annotated[date | None, Blank]
Token = Annotated[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")] | None, Blank]
Typed = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, Blank]
LongText = Annotated[Annotated[str, StringConstraints(max_length=2000)] | None, Blank]


Auditors = Annotated[OwnPage, Depends(requires(Role.AUDIT_ADMINISTRATOR))]
Releasers = Annotated[OwnPage, Depends(requires(Role.AUDIT_ADMINISTRATOR, Role.CENTRE_ADMINISTRATOR))]


def acting(page: OwnPage) -> Actor:
    """The reader, as the log knows people."""
    return member_actor(page.caller, page.member)


def period(since: date | None, until: date | None, *, days: int, longest: int) -> tuple[date, date]:
    """A form's period, by default the last `days` days.  Raises `Problem` if it is longer than `longest` days."""
    last = until or day_in_china(datetime.now(UTC))
    first = since or last - timedelta(days=days)
    if not timedelta() <= last - first <= timedelta(days=longest):
        raise Problem(
            "invalid-input",
            rule="period",
            en=f"Choose a period of at most {longest} days that begins before it ends.",
            zh=f"请选择起日在前、不超过{longest}天的期间。",
        )
    return first, last


def speech(page: OwnPage, hub: Hub, *, people: bool = False) -> Wording:
    """The words of this page."""
    names = {name: dict(hub.agencies[name].agency.names) for name in hub.agencies}
    return Wording(language=page.language.value, agencies=names, people=people)


def agencies(page: OwnPage, hub: Hub) -> list[tuple[str, str]]:
    """The agencies as choices of a form."""
    words = speech(page, hub)
    return [(name, words.agency(name)) for name in hub.agencies]
