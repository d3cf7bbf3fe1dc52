"""
Recorded search: every search of the log by compliance staff is itself recorded first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from audit.store.search import Hit, Query, SearchPage, search, search_all
from gateway.audit_access import AuditAccess, SearchRevealReason

PAGE = 500


@dataclass(frozen=True, slots=True)
class SearchResult:
    """
    The hits, newest first; `complete` is false if the bound ended the search; `size` is that of the log before it.
    """

    hits: tuple[Hit, ...]
    complete: bool
    size: int


@dataclass(frozen=True, slots=True)
class RecordedSearch:
    """
    Searches the log for authorized staff.  Every method raises `AuditUnavailable`, and then nothing was read.
    """

    log: Log
    clock: Callable[[], datetime]

    async def page(self, who: Actor, inspection: AuditAccess) -> SearchPage:
        """One page of hits."""
        size = await self._recorded(who, inspection)
        return await asyncio.to_thread(search, self.log.reader, replace(inspection.query, below=size))

    async def search_all(self, who: Actor, inspection: AuditAccess, *, most: int, purpose: str = "") -> SearchResult:
        """
        Every hit, up to `most`.  `purpose` is a word that names the use of the search in its record.
        """
        size = await self._recorded(who, inspection, purpose)
        return await asyncio.to_thread(self._all, replace(inspection.query, below=size, limit=PAGE), most, size)

    async def search_below(
        self, who: Actor, inspection: AuditAccess, *, below: int, most: int, purpose: str = ""
    ) -> SearchResult:
        """The same among the first `below` records."""
        await self._recorded(who, inspection, purpose)
        return await asyncio.to_thread(self._all, replace(inspection.query, below=below, limit=PAGE), most, below)

    async def record_export(self, who: Actor, inspection: AuditAccess, purpose: SearchRevealReason) -> None:
        """Records an export and its purpose before it is read."""
        now = self.clock()
        event = inspection.event(who, now)
        event = replace(event, detail={**event.detail, "purpose": purpose.value})
        await self.log.append(event, payloads=inspection.payloads(now))

    async def record_view(self, who: Actor, purpose: str, **detail: str | int) -> int:
        """Records a view that is not a search: of figures, of a verification."""
        event = Event(
            type=EventType.LOG_SEARCHED,
            exchange=uuid4(),
            at=self.clock(),
            who=who,
            outcome="answered",
            detail={"of": purpose, **detail},
        )
        return await self.log.append(event)

    async def _recorded(self, who: Actor, inspection: AuditAccess, of: str = "") -> int:
        now = self.clock()
        event = inspection.event(who, now)
        if of:
            event = replace(event, detail={**event.detail, "of": of})
        return await self.log.append(event, payloads=inspection.payloads(now))

    def _all(self, query: Query, most: int, size: int) -> SearchResult:
        hits: list[Hit] = []
        for page in search_all(self.log.reader, query):
            hits += page.hits
            if len(hits) > most:
                return SearchResult(tuple(hits[:most]), complete=False, size=size)
        return SearchResult(tuple(hits), complete=True, size=size)
