"""
The lookup at the door: what may be asked, and the one shape in which it is answered, stored and printed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from schemas.address import Ladder, ServiceAddress
from schemas.coded_text import CodedText
from schemas.codes import AnswerState, IdType, Reason, SubjectKind, Want
from schemas.identifiers import Authority, IdentifierWarning
from schemas.legal_basis import LegalBasis, Provision
from schemas.provenance import CASE_FILE, Source
from schemas.service_flag import ServiceFlag
from schemas.sourced import SourcedEntry, SourcedIdentity
from schemas.subject import Subject
from schemas.work_order import WORK_ORDER_ID, Text


def _each_once(wants: tuple[Want, ...]) -> tuple[Want, ...]:
    if len(set(wants)) < len(wants):
        raise ValueError("each want may be named once")
    return wants


class _LookupModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SubjectStatement(_LookupModel):
    """
    The party as the caller names it.  The type of the identifier is stated, never guessed; the name may be left out.
    """

    kind: SubjectKind
    id_type: IdType
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(repr=False)
    name: Text | None = Field(default=None, repr=False)
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|[0-9]{3})$")] | None = None

    @model_validator(mode="after")
    def _id_type_belongs_to_kind(self) -> Self:
        if self.id_type.subject_kind is not self.kind:
            raise ValueError("this type of identifier does not belong to this kind of subject")
        return self


class LookupRequest(_LookupModel):
    """
    One question of a caller: under which work order, about which party, and for what.

    `max_age` in seconds: how old an answer may be that this work order has already; 0 has everything asked anew, None
    leaves it to what is agreed with each agency.
    """

    work_order: Annotated[str, StringConstraints(pattern=WORK_ORDER_ID)]
    subject: SubjectStatement
    want: Annotated[
        tuple[Want, ...],
        Field(min_length=1, max_length=len(Want), json_schema_extra={"uniqueItems": True}),
        AfterValidator(_each_once),
    ]
    max_age: Annotated[int, Field(ge=0, le=86_400)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyAnswer:
    """
    What came of one question: one of the six states, and `reason` wherever it is not a plain answer.

    `elapsed_ms` by our clock; `as_of` is the moment for which the agency answered, None if it was not heard;
    `reference` is the agency's own number of the exchange; `retry_after` seconds; `authority` keeps the register where
    this agency does not; `drift` counts the leaves of its answer that nobody has agreed on; `reused_from` is the lookup
    that asked, where this answer was there already under the same grant: its age then shows in `as_of`.
    """

    agency: str
    capability: str
    state: AnswerState
    reason: Reason | None = None
    elapsed_ms: int
    as_of: datetime | None = None
    reference: str | None = None
    retry_after: float | None = None
    authority: Authority | None = None
    drift: int = 0
    attempts: int = 1
    reused_from: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """Where the two records of this lookup stand in the audit log, and the size of the checkpoint that covers them."""

    intent: int
    outcome: int
    checkpoint_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupResult:
    """
    The whole answer, in which everything stands once: a field's source names its place in `answers`, an address the
    codes whose texts are in `legal_basis`.  A member that holds nothing is left out of the JSON.

    `audit` is None only until the outcome is durable; nothing is released before that.

    `warnings` are the doubts about the identifier as it was given; none of them stopped the lookup.  `withheld` names
    the fields that are held but that the grant does not cover, `masked` those that are shown in part.
    """

    id: UUID
    at: datetime
    subject: Subject
    identity: SourcedIdentity | None = None
    addresses: tuple[ServiceAddress, ...] = field(default=(), repr=False)
    ladder: Ladder
    legal_basis: Mapping[LegalBasis, Provision] | None = None
    registrations: tuple[SourcedEntry, ...] = field(default=(), repr=False)
    switches: tuple[ServiceFlag, ...] = ()
    answers: tuple[AgencyAnswer, ...] = ()
    warnings: tuple[CodedText[IdentifierWarning], ...] = ()
    withheld: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    audit: AuditTrail | None = None

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that hold something, by the names that stand in the JSON."""
        held = {
            "identity": self.identity is not None,
            "addresses": bool(self.addresses),
            "registrations": bool(self.registrations),
            "switches": bool(self.switches),
        }
        return tuple(name for name, holds in held.items() if holds)

    def agency_of(self, source: Source) -> str:
        """The agency that a source belongs to, or `case_file`."""
        return CASE_FILE if source.answer is None else self.answers[source.answer].agency

    def as_of(self, source: Source) -> date | datetime:
        """The day or moment for which a source vouches: the register's own, else that of the answer."""
        answered_at = None if source.answer is None else self.answers[source.answer].as_of
        return source.as_of or answered_at or self.at


def provisions(addresses: Iterable[ServiceAddress]) -> Mapping[LegalBasis, Provision] | None:
    """The texts of all provisions that these addresses name, each once; None if they name none."""
    return {basis: basis.provision for address in addresses for basis in address.legal_basis} or None


_RESULT: Final[TypeAdapter[LookupResult]] = TypeAdapter(LookupResult)
_TRAIL: Final[TypeAdapter[AuditTrail]] = TypeAdapter(AuditTrail)
# More than three indexes of 64 bits take.
_TRAIL_BYTES: Final = 128


def dump(result: LookupResult) -> bytes:
    """The result as JSON in UTF-8, as it is stored, released and read again."""
    # The library's warnings quote values; that everything is written as it is described is kept by the tests.
    return _RESULT.dump_json(result, exclude_defaults=True, warnings=False)


def with_trail(dumped: bytes, trail: AuditTrail) -> bytes:
    """
    What `dump` wrote of a result whose audit was None, with its place in the log put in: written once, never parsed.
    """
    if b',"audit":{' in dumped[-_TRAIL_BYTES:]:
        raise ValueError("the result has its place in the log already")
    return dumped.removesuffix(b"}") + b',"audit":' + _TRAIL.dump_json(trail) + b"}"


def load(stored: bytes) -> LookupResult:
    """The result that `dump` wrote, equal to the first.  Raises `ValueError` for anything else."""
    # The library's own error quotes what it could not read; it is left behind before ours is raised.
    try:
        return _RESULT.validate_json(stored)
    except ValidationError:
        pass
    raise ValueError("could not read the stored result")
