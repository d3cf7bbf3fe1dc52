"""
A synthetic population of 120,000 persons and 24,000 organizations, derived from a seed and never stored.

Every number can be turned back into its index, so any of them is found without a table.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from mock_agencies.population import cast, organizations, people
from mock_agencies.population.cast import UNKNOWN_ORGANIZATION, UNKNOWN_PERSON
from mock_agencies.population.draws import Shuffle
from mock_agencies.population.organizations import SyntheticOrganization
from mock_agencies.population.people import SyntheticPerson

__all__ = [
    "ORGANIZATIONS",
    "PERSONS",
    "UNKNOWN_ORGANIZATION",
    "UNKNOWN_PERSON",
    "Population",
    "SyntheticOrganization",
    "SyntheticPerson",
]

PERSONS: Final = 120_000
ORGANIZATIONS: Final = 24_000
_CAST: Final = len(cast.PERSONS)


class Population:
    """
    The people and organizations of one seed.  The first indexes of each are the cast, the others derived on demand.
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._numbers = Shuffle.from_seed(people.NUMBERS, seed, "number")
        self._codes = Shuffle.from_seed(organizations.CODES, seed, "code")
        self._representatives = Shuffle.from_seed(PERSONS - _CAST, seed, "representative")
        self._officers = Shuffle.from_seed(PERSONS - _CAST, seed, "officer")
        cast_people = cast.people(partial(people.derive, seed, organizations=ORGANIZATIONS))
        cast_organizations = cast.organizations(self._derive_organization)
        self.cast: Mapping[str, SyntheticPerson | SyntheticOrganization] = {**cast_people, **cast_organizations}
        self._people = tuple(cast_people.values())
        self._organizations = tuple(cast_organizations.values())

    def person(self, index: int) -> SyntheticPerson:
        """Returns the person of an index in [0, 120,000).  Raises `IndexError`."""
        if not 0 <= index < PERSONS:
            raise IndexError(index)
        if index < len(self._people):
            return self._people[index]
        return people.derive(self.seed, index, people.number_of(self._numbers, index), ORGANIZATIONS)

    def find_person(self, id_number: str) -> list[SyntheticPerson]:
        """
        Finds all persons who have or had this number: usually none or one, two for the doubled number.
        """
        cast_found = [person for person in self._people if id_number in person.numbers]
        if cast_found:
            return cast_found
        index = people.index_of(self._numbers, id_number)
        return [self.person(index)] if index is not None and _CAST <= index < PERSONS else []

    def organization(self, index: int) -> SyntheticOrganization:
        """Returns the organization of an index in [0, 24,000).  Raises `IndexError`."""
        if not 0 <= index < ORGANIZATIONS:
            raise IndexError(index)
        if index < len(self._organizations):
            return self._organizations[index]
        return self._derive_organization(index, _CAST + self._representatives.out(index))

    def find_organization(self, number: str) -> list[SyntheticOrganization]:
        """Finds the organizations with this unified code or registration number: none or one."""
        matches = [
            organization
            for organization in self._organizations
            if number in (organization.uscc, organization.registration_number)
        ]
        if matches:
            return matches
        index = organizations.index_of_code(self._codes, number)
        if index is None:
            index = organizations.index_of_registration(self._codes, number)
        if index is None or not len(self._organizations) <= index < ORGANIZATIONS:
            return []
        organization = self.organization(index)
        return [organization] if number in (organization.uscc, organization.registration_number) else []

    def positions(self, person: SyntheticPerson) -> list[tuple[SyntheticOrganization, str]]:
        """Returns the organizations in which a person holds a position, each with the position's title."""
        positions = [
            (organization, organization.representative_title)
            for organization in self._organizations
            if organization.representative == person.index
        ]
        for shuffle, title in ((self._representatives, None), (self._officers, "监事")):
            index = shuffle.back(person.index - _CAST) if person.index >= _CAST else -1
            if len(self._organizations) <= index < ORGANIZATIONS:
                organization = self.organization(index)
                positions.append((organization, title or organization.representative_title))
        return positions

    def _derive_organization(self, index: int, representative: int) -> SyntheticOrganization:
        officer = _CAST + self._officers.out(index)
        return organizations.derive(self.seed, self._codes, index, representative, officer)
