"""
Factories of agency answers as the hub has them, on one fixed day.
"""

from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from adapters.contract import AnswerEvidence, Capability, Interpretation
from adapters.mapping import FieldOrigin, RecordWithOrigins
from gateway.lookup.fan_out import AgencyReply
from gateway.lookup.merge import merge
from schemas.address import KnownAddress
from schemas.codes import AddressKind, AnswerState, IdType, Reason, RegistrationState, SubjectKind, Want
from schemas.lookup import LookupResult
from schemas.provenance import Source
from schemas.records import AddressRecord, OrganizationRegistration, PersonIdentity, Record
from schemas.subject import Subject

_PERSON, _ORGANIZATION = SubjectKind.PERSON, SubjectKind.ORGANIZATION
_SERVES: Final = {
    ("public_security", "identity"): (_PERSON, {Want.IDENTITY}),
    ("public_security", "addresses"): (_PERSON, {Want.IDENTITY, Want.ADDRESSES}),
    ("human_resources", "participation"): (_PERSON, {Want.ADDRESSES, Want.REGISTRATIONS}),
    ("market_regulation", "registration"): (_ORGANIZATION, set(Want)),
    ("market_regulation", "positions"): (_PERSON, {Want.REGISTRATIONS}),
    ("civil_affairs", "registration"): (_ORGANIZATION, set(Want)),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day, a person, an organization, and factories of answers about them."""

    now: datetime
    lookup_id: UUID
    person: Subject
    organization: Subject

    @property
    def today(self) -> date:
        """The day in China."""
        return date(2026, 11, 23)

    def capability(self, agency: str, name: str) -> Capability:
        """A capability as its adapter declares it."""
        subject, serves = _SERVES[agency, name]
        return Capability(
            name=name, subject=subject, by=tuple(IdType), serves=frozenset(serves), official=True, summary=""
        )

    def answered(
        self,
        agency: str,
        name: str,
        *records: Record,
        state: AnswerState = AnswerState.FOUND,
        reason: Reason | None = None,
    ) -> AgencyReply:
        """An agency that answered; every field that is not at its default was read from the element of its name."""
        return AgencyReply(
            agency=agency,
            capability=self.capability(agency, name),
            state=state,
            reason=reason,
            asked_at=self.now,
            answered_at=self.now + timedelta(milliseconds=40),
            reading=Interpretation(
                state=state,
                reason=reason,
                answered_at=self.now,
                records=tuple(RecordWithOrigins(record=record, origins=_origins(record)) for record in records),
                reference=f"{agency}-1",
            ),
            evidence=AnswerEvidence(attempts=1),
        )

    def unanswered(
        self, agency: str, name: str, state: AnswerState = AnswerState.UNAVAILABLE, reason: Reason = Reason.TIMEOUT
    ) -> AgencyReply:
        """An agency that did not answer."""
        return AgencyReply(
            agency=agency,
            capability=self.capability(agency, name),
            state=state,
            reason=reason,
            asked_at=self.now,
            answered_at=self.now + timedelta(seconds=4),
        )

    def identity(self, **fields: Any) -> PersonIdentity:
        """The person's identity as the police have it."""
        return PersonIdentity(**{"id_number": "330802199003071239", "full_name": "柯小明"} | fields)

    def address(self, kind: AddressKind, text: str, **fields: Any) -> AddressRecord:
        """An address record."""
        return AddressRecord(kind=kind, text=text, **fields)

    def case_address(self, kind: AddressKind, text: str, *, evidence: str = "D-1", **fields: Any) -> KnownAddress:
        """An address that the case itself supplies."""
        return KnownAddress(record=self.address(kind, text, **fields), evidence=evidence)

    def police(self, *records: Record, capability: str = "addresses", **identity: Any) -> AgencyReply:
        """The answer of the police about the person and addresses."""
        return self.answered("public_security", capability, self.identity(**identity), *records)

    def registry(self, *records: Record, agency: str = "market_regulation", **fields: Any) -> AgencyReply:
        """The answer of a registry about the organization."""
        defaults = {"name": self.organization.name, "state": RegistrationState.ACTIVE}
        return self.answered(agency, "registration", OrganizationRegistration(**defaults | fields), *records)

    def merge(self, subject: Subject, *answers: AgencyReply, **fields: Any) -> LookupResult:
        """The result of a lookup for everything."""
        arguments = {"lookup_id": self.lookup_id, "wants": frozenset(Want), "now": self.now} | fields
        return merge(subject=subject, answers=answers, **arguments)

    @staticmethod
    def source(result: LookupResult, agency: str, name: str, path: str, as_of: date | None = None) -> Source:
        """The source that `answered` gives to a field of this result."""
        answers = [(answer.agency, answer.capability) for answer in result.answers]
        return Source(answer=answers.index((agency, name)), path=path.upper(), as_of=as_of)


def _origins(record: Record) -> dict[str, FieldOrigin]:
    return {
        field.name: FieldOrigin(path=field.name.upper(), raw="")
        for field in fields_of(record)
        if field.name != "kind" and getattr(record, field.name) not in {None, field.default}
    }


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The scenario of these tests."""
    return Scenario(
        now=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
        lookup_id=UUID("6f1f3c62-0d5e-4b7e-9a43-6d6a1d1a7a11"),
        person=Subject(kind=_PERSON, id_type=IdType.RESIDENT_ID, id_number="330802199003071239", name="柯小明"),
        organization=Subject(
            kind=_ORGANIZATION, id_type=IdType.USCC, id_number="91330802DEM000014A", name="衢州示例贸易有限公司"
        ),
    )
