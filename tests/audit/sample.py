"""
Synthetic events for the tests and the benchmark of the log.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from audit.format.event import Actor, AskedQuestion, Event, EventType, PurposeOfUse, QuestionOutcome
from schemas.codes import AnswerState, IdType, Reason, SubjectKind
from schemas.subject import Subject

ORIGIN = "court.example/audit/1"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

# What must never be found in clear anywhere.
CANARY_ID = "330802198812120075"
CANARY_NAME = "钱多多"
CANARY_USER = "canary.user"
CANARY_CASE = "(2026)浙0802民初31415号"
CANARY_ORDER = "WO-CANARY-27182"
CANARY_TERMINAL = "10.99.88.77"

QUESTIONS = (
    AskedQuestion(agency="public_security", capability="identity"),
    AskedQuestion(agency="public_security", capability="addresses"),
    AskedQuestion(agency="human_resources", capability="participation"),
)


@dataclass(frozen=True, slots=True)
class Dsn:
    """Connection strings of one test database, by role."""

    owner: str
    hub: str
    eraser: str


def party(n: int = 0, **changes: str) -> Subject:
    """A synthetic person."""
    subject = Subject(
        kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number=f"33080219900101{n:04d}", name=f"当事人{n}"
    )
    return replace(subject, **changes)


def canary() -> Subject:
    """The person whose particulars are looked for in places where they must not be."""
    return party(id_number=CANARY_ID, name=CANARY_NAME)


def intent(n: int = 0, exchange: UUID | None = None, *, at: datetime = START, **changes: object) -> Event:
    """The intent of the n-th lookup."""
    event = Event(
        type=EventType.LOOKUP_INTENT,
        exchange=exchange or uuid4(),
        at=at + timedelta(seconds=n),
        who=Actor(
            user=f"clerk.{n % 40}",
            name="李婷",
            client="web",
            court="浙0802",
            unit="执行局",
            role="clerk",
            terminal="10.1.2.3",
        ),
        whose=(party(n),),
        why=PurposeOfUse(
            work_order=f"WO-2026-{n % 3000:06d}",
            version=3,
            kind="service",
            case_number=f"(2026)浙0802民初{n % 3000}号",
            purpose="service_of_process",
            policy="work-order-holder/1",
            rules=("held_by_caller", "open", "recorded", "party_named"),
        ),
        asked=QUESTIONS,
        outcome="asked",
    )
    return replace(event, **changes)


def outcome(intended: Event, *, unavailable: bool = False, **changes: object) -> Event:
    """What came of it: everything found, or one agency that did not answer."""
    at = intended.at + timedelta(milliseconds=420)
    answered = [
        QuestionOutcome(
            agency=question.agency,
            capability=question.capability,
            state=AnswerState.FOUND,
            records=1,
            asked_at=intended.at + timedelta(milliseconds=12),
            answered_at=intended.at + timedelta(milliseconds=390),
            digest="ab" * 32,
        )
        for question in intended.asked
    ]
    if unavailable:
        answered[-1] = replace(
            answered[-1], state=AnswerState.UNAVAILABLE, reason=Reason.TIMEOUT, records=0, digest=None
        )
    event = replace(
        intended,
        type=EventType.LOOKUP_OUTCOME,
        at=at,
        answered=tuple(answered),
        released=("identity", "addresses"),
        outcome="released",
    )
    return replace(event, **changes)
