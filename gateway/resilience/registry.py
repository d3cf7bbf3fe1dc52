"""
The call guards of one hub: one for each connected capability, with what the capabilities of an agency share.
"""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from random import Random

from adapters.call_policy import AgencyPolicy
from adapters.contract import Adapter, Capability, Interpretation, Question
from adapters.wire.clock import CorrectedClock
from gateway.resilience.call_guard import CallGuard
from gateway.resilience.limiters import Bulkhead, RetryBudget
from gateway.resilience.quotas import SharedQuotas
from gateway.resilience.status import GuardState, Watcher
from schemas.codes import AnswerState, Reason


class GuardRegistry:
    """
    Calls agencies as their policies say.  `quotas` is shared with the other replicas; everything else is this process's
    own, so that N replicas have N times the thresholds that are not shares.
    """

    def __init__(
        self,
        policies: Mapping[str, AgencyPolicy],
        *,
        quotas: SharedQuotas | None = None,
        watcher: Watcher | None = None,
        clock: CorrectedClock | None = None,
        random: Random | None = None,
    ) -> None:
        clock = clock or CorrectedClock()
        random = random or Random()  # noqa: S311 - jitter, no secret
        self.quotas = quotas
        self._guards: dict[tuple[str, str], CallGuard] = {}
        for agency, policy in policies.items():
            bulkhead = Bulkhead(in_flight=policy.in_flight, queue=policy.queue, longest_wait=policy.longest_wait)
            budget = RetryBudget(clock.monotonic)
            for capability, call in policy.calls.items():
                self._guards[agency, capability] = CallGuard(
                    agency,
                    capability,
                    call,
                    bulkhead=bulkhead,
                    budget=budget,
                    quotas=quotas,
                    watcher=watcher,
                    clock=clock,
                    random=random,
                )

    def ask(self, adapter: Adapter, capability: Capability, question: Question) -> Awaitable[Interpretation]:
        """The agency's answer.  Raises `AgencyError`, `UnsupportedLookup`."""
        guard = self.get(adapter.agency.id, capability.name)
        if guard is None:
            # Not connected: the adapter says so itself, and nothing is sent.
            return adapter.ask(capability.name, question)
        return guard.ask(adapter, question)

    def answered(
        self,
        agency: str,
        capability: str,
        state: AnswerState,
        reason: Reason | None,
        *,
        at: datetime,
        seconds: float,
        drift: int,
    ) -> None:
        """Records the answer that the caller of a question gets."""
        guard = self.get(agency, capability)
        if guard is not None:
            guard.answered(state, reason, at, seconds, drift)

    def get(self, agency: str, capability: str) -> CallGuard | None:
        """The guard of a capability; None if it is not connected."""
        return self._guards.get((agency, capability))

    def states(self) -> tuple[GuardState, ...]:
        """The status of every connected capability."""
        return tuple(guard.state for guard in self._guards.values())

    async def aclose(self) -> None:
        """Gives the connections back."""
        if self.quotas is not None:
            await self.quotas.aclose()
