"""
Single flight: concurrent equal questions are sent once, and all callers get the answer.

Equal means with the same grant, and so about the same party for the same task.  It works within one process.
"""

import asyncio
from dataclasses import replace
from uuid import UUID

from adapters.contract import AnswerEvidence, Question
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion, ask
from gateway.resilience.registry import GuardRegistry

Key = tuple[str, str, str]


class SingleFlight:
    """
    The questions in flight.
    """

    def __init__(self, guards: GuardRegistry) -> None:
        self._guards = guards
        self._in_flight: dict[Key, asyncio.Future[AgencyReply | None]] = {}

    async def ask(self, grant: str, planned: PlannedQuestion, question: Question) -> AgencyReply:
        """
        The reply to a question of a grant; `reused_from` is the lookup that asked, if it was another one.
        """
        key = (grant, planned.agency, planned.capability.name)
        while (future := self._in_flight.get(key)) is not None:
            # Shielded: a cancelled caller does not cancel the others.
            reply = await asyncio.shield(future)
            if reply is not None:
                return reply
        future = self._in_flight[key] = asyncio.get_running_loop().create_future()
        shared: AgencyReply | None = None
        try:
            reply = await ask(planned, question, self._guards)
            shared = replace(reply, reused_from=UUID(question.lookup), evidence=AnswerEvidence())
            return reply
        finally:
            # None if the asking caller was cancelled: then another caller asks.
            del self._in_flight[key]
            future.set_result(shared)
