"""
The audit event: who did what, about whom, why, when, with what outcome.

An event is a plain value.  `audit.format.leaf` decides which fields stand in clear in the log and which are only
committed to: a person's identity (`Actor.user`, `name`, `terminal`; every `Subject`) and the case
(`PurposeOfUse.work_order`, `case_number`) never stand in clear.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Self
from uuid import UUID

from schemas.codes import AnswerState, Reason
from schemas.subject import Subject


class EventType(Enum):
    """
    The closed list of events.  The dotted name stands in the leaf, the number in the database, the code on paper.
    """

    number: int
    code: str
    zh: str
    en: str

    def __new__(cls, name: str, number: int, code: str, zh: str, en: str) -> Self:
        member = object.__new__(cls)
        member._value_ = name
        member.number = number
        member.code = code
        member.zh = zh
        member.en = en
        return member

    LOOKUP_INTENT = "lookup.intent", 1, "LI", "查询意向", "A lookup is about to be asked"
    LOOKUP_OUTCOME = "lookup.outcome", 2, "LO", "查询结果", "A lookup was answered, or its answer was withheld"
    LOOKUP_DENIED = "lookup.denied", 3, "LD", "查询被拒", "A lookup was refused before anything was asked"
    RESULT_READ = "result.read", 4, "RR", "结果查阅", "A stored result was read again"
    FIELD_REVEALED = "field.revealed", 5, "FR", "字段揭示", "A masked field was shown in full"
    RECORD_PRINTED = "record.printed", 6, "RP", "打印", "A record was printed or downloaded"
    WORK_ORDER_CHANGED = "work_order.changed", 7, "WC", "工单变更", "The ticket system changed a work order"
    SESSION_SIGNED_IN = "session.signed_in", 8, "SI", "登录", "A person signed in"
    ACCESS_REFUSED = "access.refused", 9, "AR", "访问被拒", "A request was refused"
    LOG_SEARCHED = "log.searched", 10, "LS", "日志检索", "The log was searched"
    LOG_EXPORTED = "log.exported", 11, "LX", "日志导出", "Records of the log were exported"
    LOG_ERASED = "log.erased", 12, "LE", "数据销毁", "The key to a person's sealed values was destroyed"
    LOG_ORPHAN_CLOSED = "log.orphan_closed", 13, "LC", "补结", "An intent without an outcome was closed"
    LOG_ANCHORED = "log.anchored", 14, "LA", "锚定", "A checkpoint was anchored outside the hub"
    KEY_ROTATED = "key.rotated", 15, "KR", "密钥轮换", "A key of the log was replaced"
    ADMIN_CHANGED = "admin.changed", 16, "AC", "管理变更", "The hub's configuration was changed"
    LOG_BEGUN = "log.begun", 17, "LB", "日志承接", "The log begins in place of an earlier one"
    SESSION_ENDED = "session.ended", 18, "SO", "会话结束", "A person's session ended"
    REPORT_CHANGED = "report.changed", 20, "SR", "查询告知", "A report to a person of who looked them up was changed"
    USE_REVIEWED = "use.reviewed", 21, "UR", "使用核查", "A person's use of the hub was reviewed"
    ADDRESS_USED = "address.used", 22, "AU", "采用地址", "An address of an answer was taken for service"
    ANSWER_SHOWN = "answer.shown", 23, "AS", "先行显示", "One agency's answer was shown before the lookup was complete"
    AUTOFILL_ACCEPTED = "autofill.accepted", 30, "FA", "自动填表受理", "A form is about to be filled automatically"
    AUTOFILL_FINISHED = "autofill.finished", 31, "FF", "自动填表完成", "A form was filled as far as answers allow"
    AUTOFILL_CANCELLED = "autofill.cancelled", 32, "FC", "自动填表取消", "A form is not filled: its right ended"
    AUTOFILL_DEAD_LETTERED = "autofill.dead_lettered", 33, "FD", "自动填表搁置", "A form could not be filled or sent"

    @classmethod
    def from_name(cls, name: str) -> Self:
        """The event type with this dotted name.  Raises ValueError."""
        return cls(name)  # type: ignore[call-arg]

    @property
    def is_completion(self) -> bool:
        """
        Whether it completes an earlier record of the same exchange.  Searches find it through that record.
        """
        return self is EventType.LOOKUP_OUTCOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """
    Who acted.  `user`, `name` and `terminal` are personal and sealed; the rest stands in clear.
    """

    user: str | None = None
    name: str | None = None
    client: str | None = None
    court: str | None = None
    unit: str | None = None
    role: str | None = None
    terminal: str | None = None

    def __repr__(self) -> str:
        return f"Actor(court={self.court!r}, role={self.role!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeOfUse:
    """
    The work order and the right.  `work_order` and `case_number` are sealed, the decision stands in clear.
    """

    work_order: str | None = None
    version: int | None = None
    kind: str | None = None
    case_number: str | None = None
    purpose: str | None = None
    policy: str | None = None
    rules: tuple[str, ...] = ()
    grant: str | None = None
    decision: str = "permit"

    def __repr__(self) -> str:
        return f"PurposeOfUse(purpose={self.purpose!r}, decision={self.decision!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A question that is about to be sent to an agency."""

    agency: str
    capability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOutcome:
    """
    The outcome of one question.

    `asked_at` and `answered_at` are by our clock, `stated_at` is the agency's own time where it gives one.  `digest` is
    the SHA-256 of the raw answer (32 bytes, or 64 hex digits); the log commits to it with a key.
    """

    agency: str
    capability: str
    state: AnswerState
    reason: Reason | None = None
    records: int = 0
    attempts: int = 1
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    stated_at: datetime | None = None
    digest: bytes | str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPayload:
    """
    A body to be sealed beside its record until `expires_at`: a raw answer, the whole result, or a note.
    """

    kind: str
    body: bytes = field(repr=False)
    expires_at: datetime
    agency: str = ""
    capability: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One event.  (`exchange`, `type`) occurs at most once in the log.

    `at` is the time of the record: an intent's before the first question, an outcome's before the release.  `outcome`
    is a word of ours.  `detail` stands in clear: words, numbers and exchange ids, never personal data.
    """

    type: EventType
    exchange: UUID
    at: datetime
    who: Actor
    whose: tuple[Subject, ...] = ()
    why: PurposeOfUse | None = None
    asked: tuple[AskedQuestion, ...] = ()
    answered: tuple[QuestionOutcome, ...] = ()
    released: tuple[str, ...] = ()
    outcome: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)


_WORDS = re.compile(r"[\w.:/+,@ -]{0,8000}", re.ASCII)
_IDENTIFIER = re.compile(r"(?<![0-9A-Za-z-])(?=[0-9A-Z]*[0-9]{6})[0-9A-Z]{15,18}(?![0-9A-Za-z-])")


def is_fit_for_clear(text: str) -> bool:
    """Whether a text may stand in clear in `detail`: plain words, and nothing shaped like an identifier."""
    return _WORDS.fullmatch(text) is not None and _IDENTIFIER.search(text) is None
