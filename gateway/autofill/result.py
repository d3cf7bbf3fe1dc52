"""
The filled form: flat fields for each party, ready for the case system, with flags and answers for the reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from gateway.autofill.filling import FilledField
from gateway.autofill.states import FieldState
from schemas.codes import SubjectKind
from schemas.lookup import AgencyAnswer
from schemas.service_flag import ServiceFlag
from schemas.work_order import PartyRole


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyForm:
    """
    The fields of one party, identified by its number in the work order (from 1).  `switches` are the service flags;
    `refused_by` is the access rule by which no agency was asked.
    """

    party: int
    role: PartyRole
    kind: SubjectKind
    fields: tuple[FilledField, ...] = field(repr=False)
    switches: tuple[ServiceFlag, ...] = ()
    answers: tuple[AgencyAnswer, ...] = ()
    refused_by: str | None = None

    @property
    def sections(self) -> tuple[str, ...]:
        """The filled sections, as the audit log names them."""
        return (f"{self.party}.fields",) if any(field.state is FieldState.FILLED for field in self.fields) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """
    A form for one version of a work order.  `complete` if every agency has answered; `audit` is the index of the record
    that covers it, and None for an intermediate state.
    """

    id: UUID
    work_order: str
    version: int
    template: str
    at: datetime
    complete: bool
    parties: tuple[PartyForm, ...]
    audit: int | None = None

    @property
    def fields(self) -> list[FilledField]:
        """Every field of every party."""
        return [field for party in self.parties for field in party.fields]


_FORM: Final[TypeAdapter[FilledForm]] = TypeAdapter(FilledForm)


def dump(form: FilledForm) -> bytes:
    """The form as JSON, as it is stored and released."""
    return _FORM.dump_json(form, exclude_defaults=True, warnings=False)


def load(stored: bytes) -> FilledForm:
    """The form that `dump` wrote."""
    return _FORM.validate_json(stored)


def sections(parties: Sequence[PartyForm]) -> list[str]:
    """The filled sections of all parties."""
    return [section for party in parties for section in party.sections]
