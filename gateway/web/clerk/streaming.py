"""
An answer that arrives agency by agency: every card is sent as soon as what it shows is on record.

One response carries it all, as server-sent events, so that no replica must know what another began.  A reader who goes
away stops nothing: the lookup ends as it was begun, and its outcome is recorded.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.responses import StreamingResponse

from audit.errors import AuditUnavailable
from gateway.access.snapshot import AccessLease
from gateway.api.problems import Problem
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.lookup.fan_out import PlannedQuestion
from gateway.lookup.partial_results import ProgressListener
from gateway.lookup.service import Withheld
from gateway.web.clerk.cards import Cards
from gateway.web.clerk.result_view import result_view
from gateway.web.clerk.work_order_view import WorkOrderView, add_to_history, withheld_problem
from gateway.web.error_pages import in_words
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import OwnPage
from schemas.codes import Want
from schemas.lookup import LookupResult, load

TEMPLATE: Final = "clerk/answer.html"

# Lookups whose readers may be gone: the loop itself does not keep them.
_RUNNING: Final[set[asyncio.Task[None]]] = set()


def stream_lookup(hub: Hub, page: OwnPage, task: WorkOrderView, wants: tuple[Want, ...]) -> StreamingResponse:
    """The response that a lookup fills while it runs."""
    sending = _Sending(hub, page, task)
    running = asyncio.create_task(sending.run(wants))
    _RUNNING.add(running)
    running.add_done_callback(_RUNNING.discard)
    return StreamingResponse(sending.events(), media_type="text/event-stream", headers=PAGE_HEADERS)


class _Sending:
    """One lookup on its way to one reader.  Every piece of HTML waits with the lease under which it may leave."""

    def __init__(self, hub: Hub, page: OwnPage, task: WorkOrderView) -> None:
        self._hub = hub
        self._page = page
        self._task = task
        self._cards = Cards(hub.agencies)
        self._waiting: asyncio.Queue[tuple[str, AccessLease | None] | None] = asyncio.Queue()
        self._asked: list[tuple[str, str]] = []
        self._parts: list[LookupResult] = []

    async def run(self, wants: tuple[Want, ...]) -> None:
        """Looks up, and says in words what stops it."""
        problem: Problem | None = None
        try:
            watching = ProgressListener(self._begun, self._heard)
            released = await self._hub.lookups.look_up(self._page.caller, self._task.request(wants), listener=watching)
            released.lease.release_after_sending()
            result = load(released.body)
            # An answer that cannot be found again is still an answer.
            with contextlib.suppress(DatabaseUnavailable):
                await add_to_history(self._hub, self._page, self._task, result.id)
            whole = result_view(self._cards, result)
            self._say(self._page.text(TEMPLATE, "whole", task=self._task, answer=whole), released.lease)
        except Withheld as error:
            problem = withheld_problem(error)
        except AuditUnavailable:
            problem = Problem("audit-unavailable")
        except DatabaseUnavailable:
            problem = Problem("database-unavailable")
        except Exception:
            problem = Problem("internal")
            raise
        finally:
            if problem is not None:
                told = in_words(self._page, problem.body())
                self._say(self._page.text("problem.html", "problem", **told), None)
            self._waiting.put_nowait(None)

    async def events(self) -> AsyncIterator[str]:
        """The pieces as they come; a lease goes back once its piece is with the network."""
        while (piece := await self._waiting.get()) is not None:
            said, lease = piece
            yield "".join(f"data: {line}\n" for line in said.splitlines()) + "\n"
            if lease is not None:
                lease.release()

    def _begun(self, planned: tuple[PlannedQuestion, ...]) -> None:
        self._asked += [(one.agency, one.capability.name) for one in planned]
        self._say(self._page.text(TEMPLATE, "begun", task=self._task, cards=self._of(lambda _: True)), None)

    def _heard(self, result: LookupResult, lease: AccessLease) -> None:
        lease.release_after_sending()
        self._parts.append(result)
        agency = result.answers[0].agency
        (card,) = self._of(lambda name: name == agency)
        left = len(self._asked) - len(self._parts)
        self._say(self._page.text(TEMPLATE, "heard", card_of=card, left=left, all=len(self._asked)), lease)

    def _of(self, wanted: Callable[[str], bool]) -> tuple[object, ...]:
        asked = [one for one in self._asked if wanted(one[0])]
        return self._cards.build(asked, [part for part in self._parts if wanted(part.answers[0].agency)])

    def _say(self, said: str, lease: AccessLease | None) -> None:
        self._waiting.put_nowait((said, lease))
