"""
The contract of an agency: its facts, its lookups, and the way of one question.

An adapter declares facts (`Agency`) and lookups (`@lookup`).  A lookup asks through a wire and reads the answer
through a `RecordMap`; which wire family, address and credentials that wire has is configuration.

    Question ─▶ Adapter.ask ─▶ @lookup method ─▶ Wire.ask ─▶ Rows ─▶ RecordMap.read ─▶ Reading
"""

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from adapters.errors import UnsupportedLookup
from adapters.mapping import RecordWithOrigins
from adapters.tracing import UNTRACED, Trace
from schemas.codes import AnswerState, IdType, Reason, SubjectKind, Want
from schemas.subject import Matter, Official, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """
    Facts about an agency that do not depend on where it is reached.

    `repeatable` says that asking twice costs nothing and changes nothing there; `service` that its data may be used
    for service of process at all (court-enforcement data may not, and then start-up fails).
    """

    id: str
    names: Mapping[str, str]
    legal_basis: str
    repeatable: bool
    retention_days: int
    service: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """
    One lookup that an agency offers: for whom, by which identifiers, and which wants it serves.

    `official` says that the acting official's own details go with the question, `named` that the agency answers only
    to number and name together.
    """

    name: str
    subject: SubjectKind
    by: tuple[IdType, ...]
    serves: frozenset[Want]
    official: bool
    summary: str
    name_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """
    One answer exactly as it came, kept before anything reads it.

    Digest: lower-case hex SHA-256 of the bytes.  `asked_at` and `answered_at` are our clock (UTC), `stated_at`
    is the agency's own time of the answer where its format states one.
    """

    agency: str
    capability: str
    asked_at: datetime
    answered_at: datetime
    status: int
    content_type: str
    body: bytes
    stated_at: datetime | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def __repr__(self) -> str:
        return f"RawAnswer({self.agency}.{self.capability}, {self.status}, {len(self.body)} bytes)"


@dataclass(slots=True)
class AnswerEvidence:
    """
    The raw answers of one question in the order in which they came.  Filled by the wire, kept by the hub.
    """

    answers: list[RawAnswer] = field(default_factory=list)
    attempts: int = 0


async def _always_permitted() -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    One question to one agency: about whom, for which matter, by which official, until when.

    `deadline` is a point on the event loop's clock (`loop.time()`); nothing waits beyond it.  `permit` is awaited right
    before each request that the agency will count; it raises an `AgencyError` if that one may not be sent.
    """

    lookup: str
    subject: Subject
    official: Official
    matter: Matter
    deadline: float
    evidence: AnswerEvidence = field(default_factory=AnswerEvidence)
    trace: Trace = UNTRACED
    permit: Callable[[], Awaitable[None]] = _always_permitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """
    A decoded answer: flat records, path to text or number, exactly as the agency spelled them.

    No record is `()`, and only a route's declared empty forms yield it.  `reference` is the agency's own number
    of this exchange.
    """

    records: tuple[Mapping[str, Any], ...]
    answered_at: datetime
    reference: str | None = None
    drift: tuple[str, ...] = ()


class Wire(Protocol):
    """
    One route to an agency.  Signs, sends, keeps the raw answer, checks the envelope and decodes it into rows.

    Raises only the errors of `adapters.errors`; no exception of an HTTP, SOAP or XML library leaves it.
    """

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        """Asks with `terms` (our names: `id_number`, `name`), which the route's settings spell for the agency."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """What an agency said, normalized: `found`, `not_found` or `ambiguous`, and what it holds."""

    state: AnswerState
    answered_at: datetime
    records: tuple[RecordWithOrigins, ...] = ()
    reason: Reason | None = None
    reference: str | None = None
    drift: tuple[str, ...] = ()


LookupMethod = Callable[[Any, Question], Awaitable[Interpretation]]


def lookup(
    name: str,
    *,
    subject: SubjectKind,
    by: tuple[IdType, ...],
    serves: frozenset[Want],
    official: bool = True,
    name_required: bool = False,
) -> Callable[[LookupMethod], LookupMethod]:
    """
    Declares a method as a capability.  A method without it is invisible; there is no other list.
    """

    def declare(method: LookupMethod) -> LookupMethod:
        summary = (inspect.getdoc(method) or "").partition("\n")[0]
        method.__dict__["capability"] = Capability(
            name=name,
            subject=subject,
            by=by,
            serves=serves,
            official=official,
            summary=summary,
            name_required=name_required,
        )
        return method

    return declare


class Adapter:
    """
    One agency.  Subclasses set `agency` and declare lookups; they hold no state of their own.
    """

    agency: ClassVar[Agency]
    capabilities: ClassVar[Mapping[str, Capability]] = {}
    _methods: ClassVar[Mapping[str, LookupMethod]] = {}

    def __init__(self, wires: Mapping[str, Wire]) -> None:
        self.wires = wires

    def __init_subclass__(cls) -> None:
        methods = {
            member.__dict__["capability"].name: member
            for member in vars(cls).values()
            if callable(member) and "capability" in getattr(member, "__dict__", {})
        }
        cls._methods = methods
        cls.capabilities = {name: method.__dict__["capability"] for name, method in methods.items()}

    async def ask(self, capability: str, question: Question) -> Interpretation:
        """
        Asks one declared question.  Raises `AgencyError`, or `UnsupportedLookup` without asking anything.
        """
        declared = self.capabilities.get(capability)
        if declared is None or capability not in self.wires:
            raise UnsupportedLookup(Reason.NOT_CONFIGURED)
        if question.subject.kind is not declared.subject or question.subject.id_type not in declared.by:
            raise UnsupportedLookup(Reason.ID_TYPE_NOT_SUPPORTED)
        if declared.name_required and not question.subject.name:
            raise UnsupportedLookup(Reason.NAME_REQUIRED)
        return await self._methods[capability](self, question)
