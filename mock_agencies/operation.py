"""
The base classes of a mock agency's operations.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Generic, TypeVar

from mock_agencies.exchange import JSON, MockRequest, MockResponse
from mock_agencies.faults.delivery import DELIVERIES
from mock_agencies.faults.records import RECORDS, FaultFields, Row
from mock_agencies.faults.replies import REPLIES
from mock_agencies.faults.script import ArmedFault
from mock_agencies.population import ORGANIZATIONS, PERSONS, Population, SyntheticOrganization, SyntheticPerson

T = TypeVar("T", bound=SyntheticPerson | SyntheticOrganization)

SUBJECT_FAULTS: Final = frozenset({"no_record", "transient_empty", "wrong_subject", "two_matches"})
_FAR_AWAY: Final = 4_711  # distance of the index of another person


class Operation(ABC):
    """
    One thing that an agency does, at its paths.  `family_faults` are those that its own code knows how to make; the
    faults of the socket and of HTTP apply to every operation.
    """

    name: ClassVar[str]
    paths: ClassVar[tuple[str, ...]]
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    family_faults: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:
        """Answers a request, under a fault of the family if one is given.  Raises `OperationRefused`."""

    @property
    def faults(self) -> frozenset[str]:
        """Every fault that can be armed for this operation."""
        return self.family_faults | DELIVERIES.keys() | REPLIES.keys()


@dataclass(frozen=True, slots=True)
class OperationQuery:
    """
    A question that was accepted: the number, the name where given, and what else the answer depends on.

    `reference` is the caller's number of this exchange and makes no difference to the facts.
    """

    number: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    variant: str = ""
    reference: str = field(default="", compare=False)


class Register(ABC, Generic[T]):
    """One agency's own view of the population: who is found, and what the agency holds about them."""

    def __init__(self, population: Population) -> None:
        self.population = population

    @abstractmethod
    def find(self, query: OperationQuery) -> list[T]:
        """Finds the subjects that the agency holds for this query."""

    @abstractmethod
    def rows(self, subject: T, query: OperationQuery) -> list[Row]:
        """Returns what the agency holds about one subject."""

    @abstractmethod
    def stranger(self, subject: T | None) -> T:
        """Returns another subject."""

    @abstractmethod
    def twin(self, subject: T) -> T:
        """Returns another subject under the same number."""


class PersonRegister(Register[SyntheticPerson]):
    """A register of persons, under the numbers that `agency` holds."""

    agency: ClassVar[str]

    def find(self, query: OperationQuery) -> list[SyntheticPerson]:
        persons = self.population.find_person(query.number)
        return [person for person in persons if person.number_at(self.agency) == query.number]

    def stranger(self, subject: SyntheticPerson | None) -> SyntheticPerson:
        index = subject.index if subject else 0
        other = self.population.person((index + _FAR_AWAY) % PERSONS)
        return replace(other, insured=True)

    def twin(self, subject: SyntheticPerson) -> SyntheticPerson:
        number = subject.number_at(self.agency)
        return replace(self.stranger(subject), id_number=number, numbers_at=())


class OrganizationRegister(Register[SyntheticOrganization]):
    """A register of organizations."""

    def find(self, query: OperationQuery) -> list[SyntheticOrganization]:
        return [
            organization for organization in self.population.find_organization(query.number) if organization.registered
        ]

    def stranger(self, subject: SyntheticOrganization | None) -> SyntheticOrganization:
        return self.population.organization(((subject.index if subject else 0) + _FAR_AWAY) % ORGANIZATIONS)

    def twin(self, subject: SyntheticOrganization) -> SyntheticOrganization:
        other = self.stranger(subject)
        return replace(other, uscc=subject.uscc, registration_number=subject.registration_number)


class LookupOperation(Operation, Generic[T]):
    """
    A query about a subject: accept, find, collect the rows, write, with an armed fault applied at its step.

    With `precomputed`, an undisturbed answer is written once per question and then repeated byte for byte.
    """

    fault_fields: ClassVar[FaultFields]
    content_type: ClassVar[str] = JSON
    document_faults: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, register: Register[T], *, precomputed: bool) -> None:
        self.register = register
        self._written: dict[OperationQuery, MockResponse] | None = {} if precomputed else None

    @property
    def faults(self) -> frozenset[str]:
        made = SUBJECT_FAULTS | RECORDS.keys() | self.document_faults
        return super().faults | made

    @abstractmethod
    def accept(self, request: MockRequest, armed: ArmedFault | None) -> OperationQuery:
        """Verifies a request as the agency would and reads its question.  Raises `OperationRefused`."""

    @abstractmethod
    def write(self, query: OperationQuery, rows: list[Row], armed: ArmedFault | None) -> MockResponse:
        """Writes the rows as the family does, disturbed by a fault of the document or the envelope if one is given."""

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:
        query = self.accept(request, armed)
        if armed is None and self._written is not None:
            if query not in self._written:
                self._written[query] = self._answer(query, None)
            return self._written[query]
        return self._answer(query, armed)

    def _answer(self, query: OperationQuery, armed: ArmedFault | None) -> MockResponse:
        subjects = self.register.find(query)
        if armed is not None and armed.name in SUBJECT_FAULTS:
            subjects = self._others(armed.name, subjects)
            query = replace(query, name=None)
        rows = [row for subject in subjects for row in self.register.rows(subject, query)]
        if armed is not None and armed.name in RECORDS:
            rows = RECORDS[armed.name](rows, self.fault_fields, armed.options)
        return self.write(query, rows, armed)

    def _others(self, fault: str, subjects: list[T]) -> list[T]:
        if fault == "wrong_subject":
            return [self.register.stranger(subjects[0] if subjects else None)]
        if fault == "two_matches":
            return [*subjects[:1], *(self.register.twin(subject) for subject in subjects[:1])]
        return []


def armed_name(armed: ArmedFault | None, faults: Mapping[str, object]) -> str | None:
    """Returns the armed fault's name if it is one of these."""
    return armed.name if armed is not None and armed.name in faults else None
