"""
Equal questions at the same time are one: whoever comes while it is out waits for its answer.

Equal means: under the same grant, and so about the same party for the same task.  One process knows of its own only.
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
    The questions that are out.
    """

    def __init__(self, guards: GuardRegistry) -> None:
        self._guards = guards
        self._out: dict[Key, asyncio.Future[AgencyReply | None]] = {}

    async def ask(self, grant: str, planned: PlannedQuestion, question: Question) -> AgencyReply:
        """
        The answer to a question under a grant; `reused_from` names the lookup that asked, if it was another one.
        """
        key = (grant, planned.agency, planned.capability.name)
        while (out := self._out.get(key)) is not None:
            # Whoever leaves does not take the others' answer along.
            answer = await asyncio.shield(out)
            if answer is not None:
                return answer
        out = self._out[key] = asyncio.get_running_loop().create_future()
        shared: AgencyReply | None = None
        try:
            answer = await ask(planned, question, self._guards)
            shared = replace(answer, reused_from=UUID(question.lookup), evidence=AnswerEvidence())
            return answer
        finally:
            # None if the one who asked has left: then somebody else asks.
            del self._out[key]
            out.set_result(shared)
