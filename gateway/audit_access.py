"""
Access to the audit log, itself recorded: who searched or exported, by which criteria, and why values were shown.

The names of the criteria are in clear, their values nowhere: a person that was searched for is a subject of the record,
so that a search for that person finds the record.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from audit.export.formats import ExportFormat
from audit.format.event import Actor, Event, EventType, SealedPayload
from audit.store.search import Query
from schemas.codes import Code, IdType
from schemas.identifiers import parse
from schemas.subject import Subject

# The time for which a record of processing must be kept (PIPL 56).
NOTE_DAYS: Final = 3 * 366


class SearchRevealReason(Code):
    """Why personal values of records are shown; without a reason they are not."""

    COMPLAINT = "complaint", "处理投诉", "A complaint is examined"
    INSPECTION = "inspection", "例行检查", "An inspection that is due"
    INCIDENT = "incident", "安全事件", "An incident is investigated"
    SUBJECT_REQUEST = "subject_request", "个人信息主体请求", "The person asks who looked them up"
    COURT_ORDER = "court_order", "法院决定", "A court or a supervisory authority demands it"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAccess:
    """
    One search or export of the log.  `note` is free text of the reader, sealed with the record.
    """

    query: Query
    reveal: SearchRevealReason | None = None
    note: str | None = field(default=None, repr=False)
    out_format: ExportFormat | None = None

    @property
    def shows_people(self) -> bool:
        """Whether personal values are shown."""
        return self.reveal is not None

    def event(self, who: Actor, at: datetime) -> Event:
        """The event, which must be durable before anything is read."""
        subject = self.query.subject
        detail = {
            "filters": ",".join(self.query.criteria),
            "reveal": self.reveal.value if self.reveal else "",
            "format": self.out_format.value if self.out_format else "",
        }
        return Event(
            type=EventType.LOG_EXPORTED if self.out_format else EventType.LOG_SEARCHED,
            exchange=uuid4(),
            at=at,
            who=who,
            whose=() if subject is None else (subject,),
            outcome="answered",
            detail={name: value for name, value in detail.items() if value},
        )

    def payloads(self, at: datetime) -> list[SealedPayload]:
        """The note, to be sealed with the record."""
        if not self.note:
            return []
        return [SealedPayload(kind="note", body=self.note.encode(), expires_at=at + timedelta(days=NOTE_DAYS))]


def search_subject(id_type: IdType, id_number: str, country: str | None = None) -> Subject:
    """
    The subject of a search, in the log's spelling.  Raises `IdentifierError`.
    """
    identifier = parse(id_type, id_number, country=country)
    return Subject(
        kind=id_type.subject_kind, id_type=id_type, id_number=identifier.canonical_value, country=identifier.country
    )
