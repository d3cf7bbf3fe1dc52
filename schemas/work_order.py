"""
Work orders as a ticket system states them: tasks that carry the right to ask.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.codes import Code, IdType, SubjectKind, Want
from schemas.subject import Official

WORK_ORDER_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]


class WorkOrderStatus(Code):
    """The life of a work order.  Only a dispatched, transferred or reopened one grants anything."""

    DISPATCHED = "dispatched", "已派发", "Dispatched"
    TRANSFERRED = "transferred", "已转派", "Transferred"
    SUSPENDED = "suspended", "已中止", "Suspended"
    CLOSED = "closed", "已办结", "Closed"
    REOPENED = "reopened", "已重开", "Reopened"

    @property
    def open(self) -> bool:
        """Whether it grants lookups."""
        return self not in {WorkOrderStatus.SUSPENDED, WorkOrderStatus.CLOSED}


class PartyRole(Code):
    """The role of a party in the case."""

    PLAINTIFF = "plaintiff", "原告", "Plaintiff"
    DEFENDANT = "defendant", "被告", "Defendant"
    THIRD_PARTY = "third_party", "第三人", "Third party"
    APPLICANT = "applicant", "申请人", "Applicant"
    RESPONDENT = "respondent", "被申请人", "Respondent"
    DEBTOR = "debtor", "被执行人", "Person under enforcement"
    WITNESS = "witness", "证人", "Witness"


class _WorkOrderModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """Nothing, because holder and parties are people."""
        return ()


class HolderStatement(_WorkOrderModel):
    """
    The holder of a work order: the sign-on user, and the official's own identity that agencies demand.
    """

    user: Word
    name: Text
    id_number: Annotated[str, StringConstraints(min_length=15, max_length=24)]
    unit_code: Annotated[str, StringConstraints(min_length=18, max_length=24)]
    unit_name: Text
    terminal: Annotated[str, StringConstraints(min_length=1, max_length=64)]

    @property
    def official(self) -> Official:
        """The acting official of every question under this work order."""
        return Official(**self.model_dump())


class PartyStatement(_WorkOrderModel):
    """A party of the case, by a stated type of identifier and by name."""

    role: PartyRole
    kind: SubjectKind
    id_type: IdType
    id_number: Annotated[str, StringConstraints(min_length=5, max_length=64)]
    name: Text
    country: Annotated[str, StringConstraints(min_length=3, max_length=3)] | None = None


class WorkOrderStatement(_WorkOrderModel):
    """
    The state of a work order at one version.  A lower version never replaces a higher one.

    `want` narrows what the kind grants; None grants everything that the kind does.
    """

    version: Annotated[int, Field(ge=1, le=2**53)]
    status: WorkOrderStatus
    kind: Word
    court: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    case_number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    holder: HolderStatement
    parties: Annotated[tuple[PartyStatement, ...], Field(min_length=1, max_length=200)]
    simplified_procedure: bool = False
    want: Annotated[tuple[Want, ...], Field(min_length=1, max_length=len(Want))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderReceipt:
    """The hub's receipt: the version in force, and the index of the audit record of the change."""

    id: str
    court: str
    version: int
    status: WorkOrderStatus
    audit: int | None
    replayed: bool
