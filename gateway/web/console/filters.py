"""
The filters of the list of records.

Personal criteria (party, official, work order, case) are stored sealed under a token
(`gateway.compliance.saved_searches`); all others stand in the address, so that a filter can be shared.
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
    """The parameters of the address; empty ones are no criteria."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    since: Day = None
    until: Day = None
    agency: Annotated[Annotated[str, Field(pattern="^[a-z_]{1,64}$")] | None, Blank] = None
    state: Annotated[AnswerState | None, Blank] = None
    type: Annotated[EventType | None, Blank] = None
    t: Token = None
    before: Annotated[Annotated[int, Field(ge=0, le=2**62)] | None, Blank] = None

    def on(self, today: date) -> "Filter":
        """The same with its default period: today, unless there are personal criteria."""
        if self.since is None and self.until is None and self.t is None:
            return self.model_copy(update={"since": today, "until": today})
        return self

    def address(self, path: str, **changes: object) -> str:
        """The address with these parameters, some of them changed (None: removed)."""
        values = {**self.model_dump(mode="json"), **changes}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path

    def query(self, court: str, private: PrivateCriteria) -> Wanted:
        """The query of the search."""
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
    """One active filter in words, and the address without it."""

    words: str
    without: str


def chips(filters: Filter, path: str, named: Sequence[tuple[str, str]]) -> list[Chip]:
    """A chip for each active filter."""
    return [Chip(words, filters.address(path, before=None, **{name: None})) for name, words in named]


def whole(query: Wanted) -> Wanted:
    """The same search without its page."""
    return replace(query, before=None)
