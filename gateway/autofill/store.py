"""
A request and its questions as rows, and the statements of a run.  How requests end otherwise is in `endings`.

Every function is one transaction's work on a connection.  Who runs a request holds its fence: a later run has a higher
one, and what an older run still writes changes nothing and says so.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, text

from gateway.access.snapshot import GrantedWorkOrder
from gateway.autofill.states import RequestState
from schemas.codes import AnswerState, Reason

# Runs that began one after the other without coming to an end: whatever kills its worker must not do so for ever.
MOST_STARTS: Final = 5
CHANNEL: Final = "shuniu_autofill"


class Fenced(Exception):
    """The request was taken over by a later run, or has ended: this run writes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """
    One question.  `state` None: never asked; `next_at` set: asked again then; otherwise its answer is final.
    """

    party: int
    agency: str
    capability: str
    state: AnswerState | None = None
    reason: Reason | None = None
    attempts: int = 0
    next_at: datetime | None = None
    lookup: UUID | None = None
    outcome: int | None = None
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """Agency and capability of the question."""
        return self.agency, self.capability

    @property
    def settled(self) -> bool:
        """Whether it is never asked again."""
        return self.state is not None and self.next_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """
    One request as it stands, its work order as that stands, and its questions.  `parties` are places from 0.
    """

    id: UUID
    court: str
    work_order: str
    version: int
    client: str
    template: str
    parties: tuple[int, ...]
    receiver: str | None
    state: RequestState
    reason: str | None
    deadline: datetime
    next_at: datetime | None
    starts: int
    fence: int
    revision: int
    accepted_index: int | None
    ended_index: int | None
    created_at: datetime
    ready_at: datetime
    ended_at: datetime | None
    sealed: bytes | None = field(repr=False)
    order: GrantedWorkOrder
    questions: tuple[QuestionRow, ...]

    @property
    def current(self) -> bool:
        """Whether the work order still stands at the version for which the form was asked."""
        return self.order.version == self.version


_REQUEST: Final = """
    SELECT a.id, a.court, a.work_order, a.version, a.client, a.template, a.parties, a.receiver, a.state, a.reason,
        a.deadline, a.next_at, a.starts, a.fence, a.revision, a.accepted_index, a.ended_index, a.created_at, a.ready_at,
        a.ended_at, a.sealed, a.job,
        w.version AS in_force, w.status, w.kind, w.case_number, w.holder, w.recorded, w.document
    FROM autofill a JOIN work_order w ON w.court = a.court AND w.id = a.work_order
    WHERE a.id = :id
"""
_QUESTIONS: Final = text("""
    SELECT party, agency, capability, state, reason, attempts, next_at, lookup, outcome, sealed
    FROM autofill_question WHERE autofill = :id ORDER BY party, agency, capability
""")


def read(connection: Connection, request: UUID) -> StoredRequest | None:
    """A request as it stands."""
    row = connection.execute(text(_REQUEST), {"id": request}).one_or_none()
    return None if row is None else _request(connection, row)


_INSERT: Final = text("""
    INSERT INTO autofill (id, court, work_order, version, client, template, parties, receiver, state, deadline, next_at,
        starts, fence, revision, created_at, ready_at)
    VALUES (:id, :court, :work_order, :version, :client, :template, :parties, :receiver, :state, :deadline, :next_at,
        0, 0, 1, :at, :at)
""")
_INSERT_QUESTIONS: Final = text("""
    INSERT INTO autofill_question (autofill, party, agency, capability, attempts)
    SELECT :id, q.party, q.agency, q.capability, 0
    FROM unnest(CAST(:of AS smallint[]), CAST(:agencies AS text[]), CAST(:capabilities AS text[]))
        AS q (party, agency, capability)
""")
WAKE: Final = text(f"NOTIFY {CHANNEL}")


def insert(connection: Connection, row: dict[str, Any], questions: list[tuple[int, str, str]]) -> None:
    """Enters a request with its questions, and wakes the feeder of the queue."""
    connection.execute(_INSERT, row)
    of, agencies, capabilities = zip(*questions, strict=True) if questions else ((), (), ())
    columns = {"of": list(of), "agencies": list(agencies), "capabilities": list(capabilities)}
    connection.execute(_INSERT_QUESTIONS, {"id": row["id"]} | columns)
    connection.execute(WAKE)


_BEGIN: Final = text("""
    UPDATE autofill SET state = 'running', starts = starts + 1, fence = fence + 1, revision = revision + 1,
        started_at = coalesce(started_at, :at)
    WHERE id = :id AND job = :job AND state IN ('queued', 'running')
""")


def begin(connection: Connection, request: UUID, job: int, at: datetime) -> StoredRequest | None:
    """
    Begins a run and returns the request with its fence; None if this job has nothing to do any more.
    """
    if not connection.execute(_BEGIN, {"id": request, "job": job, "at": at}).rowcount:
        return None
    return read(connection, request)


_ACCEPTED: Final = text("UPDATE autofill SET accepted_index = :index WHERE id = :id AND fence = :fence")
_HEARD: Final = text("""
    UPDATE autofill_question q SET state = n.state, reason = n.reason, attempts = q.attempts + 1, next_at = n.next_at,
        answered_at = n.answered_at, lookup = :lookup, outcome = NULL, sealed = n.sealed
    FROM unnest(CAST(:agencies AS text[]), CAST(:capabilities AS text[]), CAST(:states AS text[]),
            CAST(:reasons AS text[]), CAST(:next_ats AS timestamptz[]), CAST(:answered_ats AS timestamptz[]),
            CAST(:sealed AS bytea[])) AS n (agency, capability, state, reason, next_at, answered_at, sealed)
    WHERE q.autofill = :id AND q.party = :party AND q.agency = n.agency AND q.capability = n.capability
""")
_STILL_MINE: Final = text("""
    UPDATE autofill SET revision = revision + 1 WHERE id = :id AND fence = :fence AND state = 'running'
""")
_TOLD: Final = text("UPDATE autofill_question SET outcome = :outcome WHERE autofill = :id AND lookup = :lookup")


def note_accepted(connection: Connection, request: StoredRequest, index: int) -> None:
    """Notes where the acceptance stands in the log."""
    connection.execute(_ACCEPTED, {"id": request.id, "fence": request.fence, "index": index})


def store_answers(
    connection: Connection, request: StoredRequest, party: int, lookup: UUID, answers: dict[str, list[Any]]
) -> None:
    """
    Keeps what one lookup heard about one party.  Raises `Fenced`.
    """
    if not connection.execute(_STILL_MINE, {"id": request.id, "fence": request.fence}).rowcount:
        raise Fenced
    connection.execute(_HEARD, answers | {"id": request.id, "party": party, "lookup": lookup})


_REFUSED: Final = text("""
    UPDATE autofill_question SET state = 'not_asked', reason = NULL, next_at = NULL
    WHERE autofill = :id AND party = :party AND (state IS NULL OR next_at IS NOT NULL)
""")


def end_questions(connection: Connection, request: StoredRequest, party: int) -> None:
    """A rule of ours ended the questions about one party; the others go on.  Raises `Fenced`."""
    if not connection.execute(_STILL_MINE, {"id": request.id, "fence": request.fence}).rowcount:
        raise Fenced
    connection.execute(_REFUSED, {"id": request.id, "party": party})


_DELAY: Final = text("""
    UPDATE autofill SET state = 'delayed', next_at = least(CAST(:next_at AS timestamptz), deadline), starts = 0,
        revision = revision + 1
    WHERE id = :id AND fence = :fence AND state = 'running'
""")


def delay(connection: Connection, request: StoredRequest, until: datetime, told: dict[UUID, int]) -> None:
    """Ends a run that has to go on later.  Raises `Fenced`."""
    if not connection.execute(_DELAY, {"id": request.id, "fence": request.fence, "next_at": until}).rowcount:
        raise Fenced
    _note_told(connection, request, told)


def _note_told(connection: Connection, request: StoredRequest, told: dict[UUID, int]) -> None:
    for lookup, outcome in told.items():
        connection.execute(_TOLD, {"id": request.id, "lookup": lookup, "outcome": outcome})


_END: Final = text("""
    UPDATE autofill SET state = :state, reason = :reason, next_at = NULL, ended_at = :at, ended_index = :index,
        sealed = :sealed, revision = revision + 1, fence = fence + 1
    WHERE id = :id AND fence = :fence AND state = 'running'
""")
FORGET: Final = text("UPDATE autofill_question SET sealed = NULL WHERE autofill = ANY(:ids) AND sealed IS NOT NULL")


def end(
    connection: Connection,
    request: StoredRequest,
    state: RequestState,
    *,
    at: datetime,
    reason: str | None = None,
    index: int | None = None,
    sealed: bytes | None = None,
    told: dict[UUID, int] | None = None,
) -> None:
    """
    Ends the run and the request with it; single answers are kept no longer.  Raises `Fenced`.
    """
    row = {"id": request.id, "fence": request.fence, "state": state.value, "reason": reason, "at": at}
    if not connection.execute(_END, row | {"index": index, "sealed": sealed}).rowcount:
        raise Fenced
    _note_told(connection, request, told or {})
    connection.execute(FORGET, {"ids": [request.id]})


def _request(connection: Connection, row: Row[Any]) -> StoredRequest:
    return StoredRequest(
        id=row.id,
        court=row.court,
        work_order=row.work_order,
        version=row.version,
        client=row.client,
        template=row.template,
        parties=tuple(row.parties),
        receiver=row.receiver,
        state=RequestState(row.state),
        reason=row.reason,
        deadline=row.deadline,
        next_at=row.next_at,
        starts=row.starts,
        fence=row.fence,
        revision=row.revision,
        accepted_index=row.accepted_index,
        ended_index=row.ended_index,
        created_at=row.created_at,
        ready_at=row.ready_at,
        ended_at=row.ended_at,
        sealed=None if row.sealed is None else bytes(row.sealed),
        order=GrantedWorkOrder.from_row(
            (
                *(row.court, row.work_order, row.in_force, row.status, row.kind),
                *(row.case_number, row.holder, row.recorded, row.document),
            )
        ),
        questions=tuple(_question(one) for one in connection.execute(_QUESTIONS, {"id": row.id})),
    )


def _question(row: Row[Any]) -> QuestionRow:
    return QuestionRow(
        party=row.party,
        agency=row.agency,
        capability=row.capability,
        state=None if row.state is None else AnswerState(row.state),
        reason=None if row.reason is None else Reason(row.reason),
        attempts=row.attempts,
        next_at=row.next_at,
        lookup=row.lookup,
        outcome=row.outcome,
        sealed=None if row.sealed is None else bytes(row.sealed),
    )
