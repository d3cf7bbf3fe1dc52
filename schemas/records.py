"""
Normalized records of an agency about a subject; one dataclass for each kind of record.

None means "not held by this agency"; an agency that did not answer is a state of its answer, never a None.  Everything
here is personal data: `repr` shows none of it.
"""

from dataclasses import dataclass
from datetime import date

from schemas.codes import (
    AddressKind,
    InsuranceKind,
    LifeStatus,
    ParticipationState,
    RegistrationState,
    Sex,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonIdentity:
    """The identity of a natural person, according to one agency."""

    id_number: str
    full_name: str
    former_name: str | None = None
    sex: Sex | None = None
    born_on: date | None = None
    life_status: LifeStatus | None = None
    serving_soldier: bool | None = None
    telephone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OrganizationIdentity:
    """The identity of an organization, according to one registry."""

    name: str
    uscc: str | None = None
    registration_number: str | None = None
    type_text: str | None = None
    representative: str | None = None
    representative_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AddressRecord:
    """
    One address as one agency holds it.

    `as_of` is the register's own date for it; `valid_until` ends an address that stands in for another (歇业).
    `adverse`: the registry itself warns that the organization is not reachable there (经营异常名录).
    """

    kind: AddressKind
    text: str
    region_code: str | None = None
    postcode: str | None = None
    telephone: str | None = None
    recipient: str | None = None
    recipient_role: str | None = None
    as_of: date | None = None
    valid_until: date | None = None
    adverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OrganizationRegistration:
    """The registration of an organization: state, registry, dates, and the flags beside the state."""

    name: str
    state: RegistrationState
    uscc: str | None = None
    registration_number: str | None = None
    registry: str | None = None
    representative: str | None = None
    founded_on: date | None = None
    approved_on: date | None = None
    term_from: date | None = None
    term_to: date | None = None
    suspended_until: date | None = None
    abnormal_list: bool = False
    kind: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Position:
    """A person's position in an organization: legal representative, director, partner."""

    organization: str
    role: str
    uscc: str | None = None
    state: RegistrationState | None = None
    kind: str = "position"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class InsuranceParticipation:
    """
    A person's participation in one kind of social insurance; it shows whether the employer is still a lead.

    `paid_until` has the precision of its source, a month: `2026-10`.
    """

    insurance: InsuranceKind
    state: ParticipationState
    employer: str | None = None
    employer_number: str | None = None
    since: date | None = None
    paid_until: str | None = None
    office: str | None = None
    kind: str = "insurance"


Registration = OrganizationRegistration | Position | InsuranceParticipation
Record = PersonIdentity | OrganizationIdentity | AddressRecord | Registration
