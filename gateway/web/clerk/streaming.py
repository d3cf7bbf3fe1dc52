"""
A lookup streamed to the page: each agency's card is sent as soon as its outcome is on record.

One response carries all server-sent events, so that replicas share no state of it.  A reader who leaves stops nothing:
the lookup is completed and its outcome recorded.
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

# Strong references to running lookups; the event loop keeps only weak ones.
_RUNNING: Final[set[asyncio.Task[None]]] = set()


def stream_lookup(hub: Hub, page: OwnPage, task: WorkOrderView, wants: tuple[Want, ...]) -> StreamingResponse:
    """The response into which a running lookup streams its cards."""
    stream = _Stream(hub, page, task)
    running = asyncio.create_task(stream.run(wants))
    _RUNNING.add(running)
    running.add_done_callback(_RUNNING.discard)
    return StreamingResponse(stream.events(), media_type="text/event-stream", headers=PAGE_HEADERS)


class _Stream:
    """One streamed lookup.  Every piece of HTML is queued with the lease under which it may be sent."""

    def __init__(self, hub: Hub, page: OwnPage, task: WorkOrderView) -> None:
        self._hub = hub
        self._page = page
        self._task = task
        self._cards = Cards(hub.agencies)
        self._waiting: asyncio.Queue[tuple[str, AccessLease | None] | None] = asyncio.Queue()
        self._questions: list[tuple[str, str]] = []
        self._parts: list[LookupResult] = []

    async def run(self, wants: tuple[Want, ...]) -> None:
        """Runs the lookup; a problem becomes a piece of HTML too."""
        problem: Problem | None = None
        try:
            watching = ProgressListener(self._on_start, self._on_partial_result)
            released = await self._hub.lookups.look_up(self._page.caller, self._task.request(wants), listener=watching)
            released.lease.release_after_sending()
            result = load(released.body)
            # A result that is missing in the history is still a result.
            with contextlib.suppress(DatabaseUnavailable):
                await add_to_history(self._hub, self._page, self._task, result.id)
            whole = result_view(self._cards, result)
            self._send(self._page.text(TEMPLATE, "whole", task=self._task, answer=whole), released.lease)
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
                texts = in_words(self._page, problem.body())
                self._send(self._page.text("problem.html", "problem", **texts), None)
            self._waiting.put_nowait(None)

    async def events(self) -> AsyncIterator[str]:
        """The pieces as they come; a lease is released once its piece is handed to the network."""
        while (piece := await self._waiting.get()) is not None:
            html, lease = piece
            yield "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
            if lease is not None:
                lease.release()

    def _on_start(self, planned: tuple[PlannedQuestion, ...]) -> None:
        self._questions += [(question.agency, question.capability.name) for question in planned]
        self._send(self._page.text(TEMPLATE, "begun", task=self._task, cards=self._build_cards(lambda _: True)), None)

    def _on_partial_result(self, result: LookupResult, lease: AccessLease) -> None:
        lease.release_after_sending()
        self._parts.append(result)
        agency = result.answers[0].agency
        (card,) = self._build_cards(lambda name: name == agency)
        left = len(self._questions) - len(self._parts)
        self._send(self._page.text(TEMPLATE, "answered", card_of=card, left=left, all=len(self._questions)), lease)

    def _build_cards(self, wanted: Callable[[str], bool]) -> tuple[object, ...]:
        questions = [(agency, capability) for agency, capability in self._questions if wanted(agency)]
        return self._cards.build(questions, [part for part in self._parts if wanted(part.answers[0].agency)])

    def _send(self, html: str, lease: AccessLease | None) -> None:
        self._waiting.put_nowait((html, lease))
