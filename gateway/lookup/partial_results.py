"""
Partial results: the answers of single agencies, for a page whose reader need not wait for the slowest one.  Cached
answers come first.

Each is released like a whole result: the right is decided again and leased, and the disclosure is recorded before it
happens.  Identity and registrations are shown; addresses come with the whole result only, because the other answers
decide whether an address may be used.
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
    The callbacks of a page; neither blocks nor raises.

    `begun` gets the planned questions once the intent is durable.  `answered` gets the result of one agency and the
    lease during which it may be sent; it releases the lease.
    """

    begun: Callable[[tuple[PlannedQuestion, ...]], None]
    answered: Callable[[LookupResult, AccessLease], None]


@dataclass(slots=True, kw_only=True)
class PartialResults:
    """
    The partial results of one lookup.  `pending` counts the replies that are still to come.
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
        """Shows one answer, unless it is the last: the whole result is ready at the same moment."""
        self.pending -= 1
        if self.pending == 0:
            return
        # An answer that cannot be recorded is not shown before the whole result.
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
