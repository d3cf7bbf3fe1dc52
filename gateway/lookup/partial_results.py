"""
One agency's answer before the lookup is whole: for a page, whose reader need not wait for the slowest agency.  What was
there already, from an earlier question under the same grant, is shown at once.

Each is released like an answer of its own: the right is looked at again and leased, and what is shown is recorded
before it is.  Only what that agency alone says is shown: who the party is and what it is registered as.  Addresses are
shown with the whole alone, because whether one may be used depends on what the others say.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from audit.errors import AuditUnavailable
from audit.format.event import Event
from audit.store.log import Log
from gateway.access.authorization import Authorizer, Grant
from gateway.access.redaction import mask, restrict
from gateway.access.snapshot import AccessLease
from gateway.database import DatabaseUnavailable
from gateway.lookup import audit_events
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion
from gateway.lookup.merge import merge
from gateway.sign_on import Caller
from schemas.codes import Want
from schemas.lookup import LookupResult
from schemas.subject import Subject


@dataclass(frozen=True, slots=True)
class ProgressListener:
    """
    Who shows what is known so far; neither call waits or raises.

    `begun` is told what is asked, once the intent is durable.  `heard` is given one agency's part of the result with
    the lease under which it may leave, and gives the lease back.
    """

    begun: Callable[[tuple[PlannedQuestion, ...]], None]
    answered: Callable[[LookupResult, AccessLease], None]


@dataclass(slots=True, kw_only=True)
class PartialResults:
    """
    The early answers of one lookup.  `pending` counts the replies that are still to come.
    """

    authorizer: Authorizer
    log: Log
    clock: Callable[[], datetime]
    listener: ProgressListener
    caller: Caller
    grant: Grant
    intent: Event
    subject: Subject = field(repr=False)
    wants: frozenset[Want]
    pending: int

    async def show(self, answer: AgencyReply) -> None:
        """Shows one answer, unless it is the last: that one is shown with the whole, which is ready as soon."""
        self.pending -= 1
        if self.pending == 0:
            return
        # What cannot be recorded now is not shown now; it comes with the whole, or not at all.
        with contextlib.suppress(AuditUnavailable, DatabaseUnavailable):
            await self._release(answer)

    async def _release(self, answer: AgencyReply) -> None:
        whole = merge(
            lookup_id=self.intent.exchange,
            subject=self.subject,
            wants=self.wants - {Want.ADDRESSES},
            answers=(answer,),
            now=self.clock(),
        )
        scopes = self.grant.scopes
        result = mask(restrict(whole, scopes), scopes)
        ended, lease = await self.authorizer.before_release(self.caller, self.grant)
        try:
            if ended is None:
                await self.log.append(
                    audit_events.shown_before_outcome(uuid4(), self.intent, self.clock(), answer, result)
                )
        except BaseException:
            lease.release()
            raise
        if ended is None and lease.valid:
            self.listener.answered(result, lease)
        else:
            lease.release()
