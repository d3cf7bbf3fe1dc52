"""
The background task of one hub process: has the log anchored when it has grown, and closes orphan intents.

Every wait has full jitter, and what another replica did meanwhile counts: so a few replicas together ask about as often
as one.  Nothing here is ever awaited by a lookup.  Whatever goes wrong is a figure in health, and is tried again.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from audit.anchor.anchors import Anchor, AnchorKind, Anchors, AnchorStatus
from audit.errors import AuditError
from audit.format.event import Event, EventType
from audit.store.log import Log
from audit.store.orphans import HUB, Orphans, close_orphans
from gateway.anchors.anchor_sources import AnchorSource, DeliverySource, TimestampSource, WitnessSource
from gateway.anchors.configuration import AnchorSettings
from gateway.anchors.http import AnchoringFailed

SWEEP_EVERY = 60.0

Key = tuple[AnchorKind, str]


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """How one anchor stands, whether it is late, and what this process last failed with (since it last succeeded)."""

    status: AnchorStatus
    age_s: float | None
    late: bool
    failures: int
    last_error: str | None


class Anchoring:
    """
    Anchors one log.  `start` begins the task, `aclose` ends it; `round` and `sweep` are one turn of each.
    """

    def __init__(self, log: Log, settings: AnchorSettings, *, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._limit = settings.limit
        self._every = settings.every
        self._clock = clock
        self._anchors = Anchors(log.reader)
        self._sources = _sources(log, settings)
        self._errors: dict[Key, str] = {}
        self._failures: Counter[Key] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self.open_orphans: int | None = None
        """Orphans that the last sweep left open; None before the first, or if it failed."""

    def start(self) -> None:
        """Begins in the background."""
        turns = ((self._every.total_seconds(), self.anchor_due), (SWEEP_EVERY, self.close_orphans))
        self._tasks = [asyncio.create_task(_forever(every, turn)) for every, turn in turns]

    async def aclose(self) -> None:
        """Ends the task at once: what it waits for is asked again by the next run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def anchor_due(self) -> None:
        """Asks every source whose turn it is, all at the same time.  Raises nothing."""
        await asyncio.gather(*(self._try(source) for source in self._sources))

    async def close_orphans(self) -> None:
        """Closes the orphans.  Raises nothing."""
        self.open_orphans = None
        now = self._clock()
        with contextlib.suppress(AuditError):
            await close_orphans(self._log, now)
            self.open_orphans = len(await asyncio.to_thread(Orphans(self._log.reader).find, now))

    async def report(self) -> Sequence[AnchorReport]:
        """How every configured anchor stands.  Raises `AuditUnavailable`."""
        now = self._clock()
        reports = []
        for source in self._sources:
            key = (source.kind, source.name)
            standing = await asyncio.to_thread(self._anchors.status, *key)
            late = standing.is_late(now, self._limit + source.slack)
            age = None if standing.at is None else round((now - standing.at).total_seconds(), 1)
            reports.append(AnchorReport(standing, age, late, self._failures[key], self._errors.get(key)))
        return reports

    async def _try(self, source: AnchorSource) -> None:
        key = (source.kind, source.name)
        try:
            anchored = await self._anchor(source)
        except (AnchoringFailed, AuditError) as error:
            self._errors[key] = str(error)
            self._failures[key] += 1
        except Exception as error:  # noqa: BLE001 - a source that fails in a new way must not end the others
            self._errors[key] = type(error).__name__
            self._failures[key] += 1
        else:
            if anchored:
                self._errors.pop(key, None)

    async def _anchor(self, source: AnchorSource) -> bool:
        """One turn of one source; says whether it was its turn and went well."""
        if self._log.signer.broken is not None:
            raise self._log.signer.broken
        now = self._clock()
        newest = await asyncio.to_thread(self._anchors.newest, source.kind, source.name)
        if newest is not None and source.is_recent(newest.at, now):
            return False
        if not await asyncio.to_thread(self._anchors.is_due, newest.size if newest else 0):
            return False
        kept = await asyncio.to_thread(self._anchors.retain_newest)
        if kept is None:
            return False
        anchor = await source.fetch(kept, now)
        if await asyncio.to_thread(self._anchors.add, anchor):
            await self._log.append(_anchored(anchor))
        return True


def _sources(log: Log, settings: AnchorSettings) -> tuple[AnchorSource, ...]:
    sources: list[AnchorSource] = [TimestampSource(site, settings.every) for site in settings.timestampers]
    sources += [WitnessSource(site, log, settings.every) for site in settings.witnesses]
    if settings.delivery_folder is not None:
        sources.append(DeliverySource(settings.delivery_folder, log.keys.signer.vkey))
    return tuple(sources)


def _anchored(anchor: Anchor) -> Event:
    return Event(
        type=EventType.LOG_ANCHORED,
        exchange=uuid4(),
        at=anchor.at,
        who=HUB,
        outcome=anchor.state.value,
        detail={"kind": anchor.kind.value, "name": anchor.name, "size": anchor.size},
    )


# Not for secrets; replicas must only not march in step.  Its own, so that no other seed is disturbed.
_JITTER = random.Random()  # noqa: S311


async def _forever(every: float, turn: Callable[[], Coroutine[None, None, None]]) -> None:
    while True:
        await asyncio.sleep(_JITTER.uniform(0, every))
        await turn()
