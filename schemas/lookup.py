"""
Request and result of a lookup: one shape for the API, the store and the printed record.
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
    The party as the caller states it.  The type of the identifier is stated, never guessed; the name is optional.
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
    A request: under which work order, about which party, and for what.

    `max_age` (seconds) is the greatest age of a cached answer of this work order: 0 bypasses the cache, None leaves it
    to the call policy of each agency.
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
    The answer to one question: one of the six states, and a `reason` where it is not a plain answer.

    `elapsed_ms` by the hub's clock; `as_of` is the moment for which the agency answered, None if it did not;
    `reference` is the agency's own number of the exchange; `retry_after` in seconds; `authority` keeps the register
    that this agency does not keep; `drift` counts the elements that are not in the contract; `reused_from` is the
    earlier lookup under the same grant whose answer is used again.
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
    """The indexes of the two audit records of this lookup, and the size of the checkpoint that covers them."""

    intent: int
    outcome: int
    checkpoint_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupResult:
    """
    The whole result, in which everything stands once: a source names its place in `answers`, an address the codes whose
    texts are in `legal_basis`.  A member that holds nothing is left out of the JSON (docs/lookup-result.md).

    `audit` is None only until the outcome is durable; nothing is released before that.  `warnings` are doubts about the
    identifier; none of them stopped the lookup.  `withheld` names fields that the grant does not cover, `masked` those
    that are shown in part.
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
        filled = {
            "identity": self.identity is not None,
            "addresses": bool(self.addresses),
            "registrations": bool(self.registrations),
            "switches": bool(self.switches),
        }
        return tuple(name for name, holds in filled.items() if holds)

    def agency_of(self, source: Source) -> str:
        """The agency that a source belongs to, or `case_file`."""
        return CASE_FILE if source.answer is None else self.answers[source.answer].agency

    def as_of(self, source: Source) -> date | datetime:
        """The date of a source: the register's own day, else the moment of the answer."""
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
    """The result as JSON in UTF-8, as it is stored and released.  `load` reads it."""
    # The library's warnings quote personal values; tests keep the JSON in step with the schema.
    return _RESULT.dump_json(result, exclude_defaults=True, warnings=False)


def with_trail(dumped: bytes, trail: AuditTrail) -> bytes:
    """
    The dumped result with its audit trail added, without parsing.  Raises `ValueError` if it has one already.
    """
    if b',"audit":{' in dumped[-_TRAIL_BYTES:]:
        raise ValueError("the result has an audit trail already")
    return dumped.removesuffix(b"}") + b',"audit":' + _TRAIL.dump_json(trail) + b"}"


def load(stored: bytes) -> LookupResult:
    """The result that `dump` wrote.  Raises `ValueError` for anything else."""
    # The library's error quotes personal values, so it must not become the context of ours.
    try:
        return _RESULT.validate_json(stored)
    except ValidationError:
        pass
    raise ValueError("could not read the stored result")
