"""
Models of the audit search: an auditor's criteria, and the records of the answer.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from audit.export.formats import ExportFormat
from audit.format.event import EventType
from audit.store.sealed_values import SealedValues
from audit.store.search import Hit, HitEvidence, Query, SearchPage
from gateway.api.validation_errors import RequestModel
from gateway.audit_access import AuditAccess, SearchRevealReason, search_subject
from schemas.codes import AnswerState, IdType, SubjectKind
from schemas.work_order import WORK_ORDER_ID

PAGE = 200

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(value: object) -> datetime:
    # pydantic would also accept a number, a bare date or a moment without a zone, which are ambiguous.
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        return datetime.fromisoformat(value.upper())
    raise ValueError("not a moment with its zone (RFC 3339)")


def _each_once(types: tuple[EventType, ...]) -> tuple[EventType, ...]:
    if len(set(types)) < len(types):
        raise ValueError("each type may be named once")
    return types


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SubjectSought(RequestModel):
    """The person or organization of the records."""

    kind: SubjectKind
    id_type: IdType
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|[0-9]{3})$")] | None = None

    @model_validator(mode="after")
    def _id_type_belongs_to_kind(self) -> Self:
        if self.id_type.subject_kind is not self.kind:
            raise ValueError("this type of identifier does not belong to this kind of subject")
        return self


class Reveal(RequestModel):
    """The reason to show personal values; the note is sealed with the record of the search."""

    reason: SearchRevealReason
    note: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None


class Criteria(RequestModel):
    """The criteria of a search; all that are given must hold.  Without `reveal` the answer has no personal values."""

    since: Moment | None = None
    until: Moment | None = None
    user: Text | None = None
    work_order: Annotated[str, StringConstraints(pattern=WORK_ORDER_ID)] | None = None
    case_number: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    agency: Annotated[str, StringConstraints(pattern="^[a-z_]{1,64}$")] | None = None
    state: AnswerState | None = None
    types: Annotated[
        tuple[EventType, ...],
        Field(max_length=len(EventType), json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ] = ()
    subject: SubjectSought | None = None
    reveal: Reveal | None = None

    def query(self, court: str) -> Query:
        """The query of an auditor of this court.  Raises `IdentifierError`."""
        subject = self.subject
        return Query(
            court=court,
            since=self.since,
            until=self.until,
            user=self.user,
            work_order=self.work_order,
            case_number=self.case_number,
            agency=self.agency,
            state=self.state,
            types=self.types,
            subject=None if subject is None else search_subject(subject.id_type, subject.id_number, subject.country),
        )

    def _access(self, query: Query, out_format: ExportFormat | None) -> AuditAccess:
        reveal = self.reveal
        return AuditAccess(
            query=query,
            reveal=None if reveal is None else reveal.reason,
            note=None if reveal is None else reveal.note,
            out_format=out_format,
        )


class SearchRequest(Criteria):
    """One page of a search; `before` continues it with the `next` of the page before."""

    before: Annotated[int, Field(ge=0, le=2**62, strict=True)] | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE, strict=True)] = 50

    def access(self, court: str) -> AuditAccess:
        """The access to be recorded and made.  Raises `IdentifierError`."""
        return self._access(replace(self.query(court), before=self.before, limit=self.limit), None)


class ExportRequest(Criteria):
    """All pages of a search as one file."""

    format: ExportFormat

    def access(self, court: str) -> AuditAccess:
        """The access to be recorded and made.  Raises `IdentifierError`."""
        return self._access(self.query(court), self.format)


class RecordType(BaseModel):
    """A type of record: dotted name, two-letter code, and labels."""

    name: str
    code: str
    zh: str
    en: str


class RecordedEvent(BaseModel):
    """
    One record: its index, its leaf (`event`, not personal), and its proof state.

    `evidence` says whether the bytes are proved against the signed checkpoint, `values` is the state of the sealed
    personal values; `people` holds them only if the call gave a reason.  `outcome` completes an intent.
    """

    index: int
    at: datetime
    type: RecordType
    event: dict[str, Any]
    evidence: HitEvidence
    values: SealedValues
    people: dict[str, dict[str, str]] | None
    outcome: "RecordedEvent | None"


class RecordedEvents(BaseModel):
    """A page of records, newest first; `next` continues it, and proofs refer to the checkpoint of `checkpoint_size`."""

    events: list[RecordedEvent]
    next: int | None
    checkpoint_size: int


def page_of(page: SearchPage, *, people: bool) -> RecordedEvents:
    """A page of hits as an answer."""
    events = [_event(hit, people=people) for hit in page.hits]
    return RecordedEvents(events=events, next=page.next, checkpoint_size=page.checkpoint_size)


def _event(hit: Hit, *, people: bool) -> RecordedEvent:
    kind = hit.type
    return RecordedEvent(
        index=hit.index,
        at=hit.at,
        type=RecordType(name=kind.value, code=kind.code, zh=kind.zh, en=kind.en),
        event=hit.leaf,
        evidence=hit.evidence,
        values=hit.values,
        people=hit.people if people else None,
        outcome=None if hit.outcome is None else _event(hit.outcome, people=people),
    )
