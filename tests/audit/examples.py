"""
One event of every type, as docs/audit.md shows it.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from audit.export.formats import ExportFormat
from audit.format.checkpoint import Checkpoint
from audit.format.event import Actor, AskedQuestion, Event, EventType, PurposeOfUse, QuestionOutcome
from audit.format.note import Signature
from audit.store.search import Query
from audit.store.succession import LastKnownCheckpoint, begin_event
from gateway.audit_access import AuditAccess, SearchRevealReason
from schemas.codes import AnswerState
from tests.audit.sample import START, party

EXCHANGE = UUID("5f71a8bf-3f07-427d-aa6e-9e4c38caa233")
OPERATOR = Actor(client="command line", role="operator")
HUB = Actor(client="hub", role="service")
CLERK = Actor(
    user="clerk.1", name="李婷", client="web", court="浙0802", unit="执行局", role="clerk", terminal="10.1.2.3"
)
PAGES = replace(CLERK, client="shuniu-pages", role=None)
AUDITOR = replace(CLERK, user="auditor.1", name="陈静", unit="审务督察处", role=None)

_INTENT = Event(
    type=EventType.LOOKUP_INTENT,
    exchange=EXCHANGE,
    at=START,
    who=CLERK,
    whose=(party(1),),
    why=PurposeOfUse(
        work_order="WO-1",
        version=3,
        kind="service",
        case_number="(2026)浙0802民初1号",
        purpose="service_of_process",
        policy="work-order-holder/1",
        rules=("held_by_caller", "open", "recorded", "party_named"),
    ),
    asked=(AskedQuestion(agency="public_security", capability="identity"),),
    outcome="asked",
)


def _plain(event: EventType, who: Actor, outcome: str, **detail: str | int) -> Event:
    return Event(type=event, exchange=EXCHANGE, at=START, who=who, outcome=outcome, detail=detail)


def _outcome() -> Event:
    answered = QuestionOutcome(
        agency="public_security",
        capability="identity",
        state=AnswerState.FOUND,
        records=1,
        asked_at=START - timedelta(milliseconds=408),
        answered_at=START - timedelta(milliseconds=30),
        digest="ab" * 32,
    )
    return replace(
        _INTENT, type=EventType.LOOKUP_OUTCOME, answered=(answered,), released=("identity",), outcome="released"
    )


def _denied() -> Event:
    assert _INTENT.why is not None
    return replace(
        _INTENT,
        type=EventType.LOOKUP_DENIED,
        asked=(),
        why=replace(_INTENT.why, decision="deny", rules=("work_order_not_open",)),
        outcome="refused",
        detail={"rule": "work_order_not_open"},
    )


def _begun() -> Event:
    checkpoint = Checkpoint("court.example/audit/1", 70_000, bytes(range(32)))
    after = LastKnownCheckpoint(
        checkpoint, Signature("court.example/audit/1", b"\xde\xad\xbe\xef", bytes(range(64))), ""
    )
    return begin_event(after, START, OPERATOR)


_EVENTS = (
    _INTENT,
    _outcome(),
    _denied(),
    replace(_INTENT, type=EventType.RESULT_READ, asked=(), outcome="released", detail={"lookup": str(EXCHANGE)}),
    replace(
        _INTENT,
        type=EventType.FIELD_REVEALED,
        asked=(),
        released=("identity.id_number",),
        outcome="released",
        detail={"lookup": str(EXCHANGE), "reason": "check_number"},
    ),
    replace(
        _INTENT,
        type=EventType.ADDRESS_USED,
        asked=(),
        outcome="used",
        detail={"lookup": str(EXCHANGE), "place": 1, "kind": "household", "rank": 5},
    ),
    replace(
        _INTENT,
        type=EventType.ANSWER_SHOWN,
        asked=(),
        answered=_outcome().answered,
        released=("identity",),
        outcome="released",
        detail={"lookup": str(EXCHANGE)},
    ),
    replace(
        _INTENT,
        type=EventType.RECORD_PRINTED,
        asked=(),
        released=("identity", "addresses"),
        outcome="released",
        detail={"lookup": str(EXCHANGE), "digest": "ab" * 32},
    ),
    replace(
        _INTENT,
        type=EventType.WORK_ORDER_CHANGED,
        who=Actor(user="ticket-system", client="ticket-system", court="浙0802"),
        whose=(party(1), party(2)),
        asked=(),
        outcome="closed",
        detail={"parties": 2},
    ),
    replace(_INTENT, type=EventType.AUTOFILL_ACCEPTED, asked=(), outcome="accepted", detail={"template": "service"}),
    replace(
        _INTENT,
        type=EventType.AUTOFILL_FINISHED,
        asked=(),
        released=("1.identity", "1.addresses"),
        outcome="filled",
        detail={"template": "service", "fields": 14, "missing": 3, "for_a_person": 1},
    ),
    replace(
        _INTENT,
        type=EventType.AUTOFILL_CANCELLED,
        asked=(),
        outcome="cancelled",
        detail={"template": "service", "reason": "work_order_closed"},
    ),
    replace(
        _INTENT,
        type=EventType.AUTOFILL_DEAD_LETTERED,
        asked=(),
        outcome="dead_lettered",
        detail={"template": "service", "reason": "started_too_often"},
    ),
    _plain(EventType.SESSION_SIGNED_IN, PAGES, "signed_in", acr="urn:court:two-factor", method="pin,hwk"),
    _plain(EventType.SESSION_ENDED, PAGES, "ended", how="signed_out"),
    replace(
        _plain(EventType.REPORT_CHANGED, AUDITOR, "released", report=str(EXCHANGE), entries=3, withheld=1),
        whose=(party(1),),
    ),
    _plain(EventType.USE_REVIEWED, AUDITOR, "explained", day="2026-03-02", rules="after_hours", score=2),
    _plain(EventType.ACCESS_REFUSED, CLERK, "refused", rule="role_missing", operation="search_events"),
    AuditAccess(query=Query(court="浙0802", since=START, subject=party(1)), reveal=SearchRevealReason.COMPLAINT).event(
        AUDITOR, START
    ),
    AuditAccess(query=Query(court="浙0802", types=(EventType.LOOKUP_DENIED,)), out_format=ExportFormat.CSV).event(
        AUDITOR, START
    ),
    _plain(EventType.LOG_ERASED, OPERATOR, "ordered", ground="pipl-47", records=4, indexes="14,15,41,42"),
    _plain(EventType.LOG_ORPHAN_CLOSED, replace(HUB, court="浙0802"), "closed", intent=4711),
    _plain(EventType.LOG_ANCHORED, HUB, "valid", kind="rfc3161", name="tsa.example", size=70_000),
    _plain(EventType.KEY_ROTATED, OPERATOR, "replaced", key="root"),
    _plain(
        EventType.ADMIN_CHANGED, AUDITOR, "changed", units=0, people=1, unit="zhijian", roles="auditor,clerk", active=1
    ),
    _begun(),
)

EXAMPLES = {event.type: event for event in _EVENTS}
