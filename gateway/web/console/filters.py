"""
What the list of records is filtered by: the part that may stand in an address, and the part that must not.

Whoever is named (a party, an official, a work order, a case) is kept sealed under a token
(`gateway.compliance.saved_searches`); everything else is the address, so that a filter can be shared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from audit.format.event import EventType
from audit.store.search import Query as Wanted
from gateway.compliance.saved_searches import PrivateCriteria
from gateway.web.console.common import Blank, Day, Token
from schemas.china_time import day_end, day_start
from schemas.codes import AnswerState

LIMIT: Final = 50


class Filter(BaseModel):
    """The parameters of the address; what is empty is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    since: Day = None
    until: Day = None
    agency: Annotated[Annotated[str, Field(pattern="^[a-z_]{1,64}$")] | None, Blank] = None
    state: Annotated[AnswerState | None, Blank] = None
    type: Annotated[EventType | None, Blank] = None
    t: Token = None
    before: Annotated[Annotated[int, Field(ge=0, le=2**62)] | None, Blank] = None

    def on(self, today: date) -> "Filter":
        """The same with its default period: today, unless somebody or something certain is looked for."""
        if self.since is None and self.until is None and self.t is None:
            return self.model_copy(update={"since": today, "until": today})
        return self

    def address(self, path: str, **changes: object) -> str:
        """Where these parameters lead, some of them changed (None: without it)."""
        values = {**self.model_dump(mode="json"), **changes}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path

    def query(self, court: str, private: PrivateCriteria) -> Wanted:
        """What is searched for."""
        return Wanted(
            court=court,
            since=None if self.since is None else day_start(self.since),
            until=None if self.until is None else day_end(self.until),
            agency=self.agency,
            state=self.state,
            types=() if self.type is None else (self.type,),
            user=private.user,
            work_order=private.work_order,
            case_number=private.case_number,
            subject=private.subject,
            before=self.before,
            limit=LIMIT,
        )


Filtered = Annotated[Filter, Query()]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is set, in words, and the address without it."""

    words: str
    without: str


def chips(filters: Filter, path: str, named: Sequence[tuple[str, str]]) -> list[Chip]:
    """A chip for each parameter that is said in words."""
    return [Chip(words, filters.address(path, before=None, **{name: None})) for name, words in named]


def whole(query: Wanted) -> Wanted:
    """The same search without its page."""
    return replace(query, before=None)
