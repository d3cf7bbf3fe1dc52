"""
Records as a lookup's result shows them: every field with its sources.

None means that no agency holds the field.  Field names are those of schemas/records.py, so that one pass builds them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from schemas.codes import InsuranceKind, LifeStatus, ParticipationState, RegistrationState, Sex
from schemas.provenance import Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedPerson:
    """The identity of a natural person, according to every agency that answered."""

    kind: Literal["person"]
    id_number: Sourced[str] | None = None
    full_name: Sourced[str] | None = None
    former_name: Sourced[str] | None = None
    sex: Sourced[Sex] | None = None
    born_on: Sourced[date] | None = None
    life_status: Sourced[LifeStatus] | None = None
    serving_soldier: Sourced[bool] | None = None
    telephone: Sourced[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedOrganization:
    """The identity of an organization, according to every registry that answered."""

    kind: Literal["organization"]
    name: Sourced[str] | None = None
    uscc: Sourced[str] | None = None
    registration_number: Sourced[str] | None = None
    type_text: Sourced[str] | None = None
    representative: Sourced[str] | None = None
    representative_role: Sourced[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedRegistration:
    """The registration of an organization."""

    kind: Literal["organization"]
    name: Sourced[str] | None = None
    state: Sourced[RegistrationState] | None = None
    uscc: Sourced[str] | None = None
    registration_number: Sourced[str] | None = None
    registry: Sourced[str] | None = None
    representative: Sourced[str] | None = None
    founded_on: Sourced[date] | None = None
    approved_on: Sourced[date] | None = None
    term_from: Sourced[date] | None = None
    term_to: Sourced[date] | None = None
    suspended_until: Sourced[date] | None = None
    abnormal_list: Sourced[bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedPosition:
    """A person's position in an organization."""

    kind: Literal["position"]
    organization: Sourced[str] | None = None
    role: Sourced[str] | None = None
    uscc: Sourced[str] | None = None
    state: Sourced[RegistrationState] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedInsurance:
    """A person's participation in social insurances that agree in everything but the kind; `insurance` lists them."""

    kind: Literal["insurance"]
    insurance: Sourced[tuple[InsuranceKind, ...]] | None = None
    state: Sourced[ParticipationState] | None = None
    employer: Sourced[str] | None = None
    employer_number: Sourced[str] | None = None
    since: Sourced[date] | None = None
    paid_until: Sourced[str] | None = None
    office: Sourced[str] | None = None


SourcedIdentity = Annotated[SourcedPerson | SourcedOrganization, Field(discriminator="kind")]
SourcedEntry = Annotated[SourcedRegistration | SourcedPosition | SourcedInsurance, Field(discriminator="kind")]
