"""
The filled form: flat fields for each party, ready for the case system, and everything that a person must know.
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
    The fields of one party, which is named by its place in the work order (from 1).  `switches` change the way of
    service and concern a person before any field does; `refused_by` is the rule of ours by which nothing was asked.
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
        """What of it is filled, as the audit log names it."""
        return (f"{self.party}.fields",) if any(one.state is FieldState.FILLED for one in self.fields) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """
    A form of a work order at one version.  `complete` only if every agency was heard; `audit` is the index of the
    record that covers it, none for what is only there so far.
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
        return [one for party in self.parties for one in party.fields]


_FORM: Final[TypeAdapter[FilledForm]] = TypeAdapter(FilledForm)


def dump(form: FilledForm) -> bytes:
    """The form as JSON, as it is kept and released."""
    return _FORM.dump_json(form, exclude_defaults=True, warnings=False)


def load(kept: bytes) -> FilledForm:
    """The form that `dump` wrote."""
    return _FORM.validate_json(kept)


def sections(parties: Sequence[PartyForm]) -> list[str]:
    """What of each party is filled."""
    return [section for party in parties for section in party.sections]
