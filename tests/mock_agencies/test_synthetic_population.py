"""
The synthetic population: large, derived on demand, and every number leads back to its holder.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_agencies import check_digits
from mock_agencies.population import (
    ORGANIZATIONS,
    PERSONS,
    UNKNOWN_ORGANIZATION,
    UNKNOWN_PERSON,
    Population,
    SyntheticOrganization,
    SyntheticPerson,
)
from mock_agencies.population.draws import Shuffle

SEEDS = st.integers(min_value=0, max_value=2**32)
POPULATION = Population(1)

# Valid numbers of each row of the identifier tables.
PERSONS_BY_NUMBER = (
    "330802199003071239", "33080219900307005X", "330802900307123", "330803199003071235", "330821196508150026",
    "330823196002290016", "332428196001010010", "330113199001010011", "330114199001010018", "110105189912319976",
    "330802202001010015", "000000199003070014", "810000199003071237", "820000199003071239", "830000199003071230",
    "USA330000000001", "911840199003071236", "911840199003070006",
)  # fmt: skip
ORGANIZATIONS_BY_NUMBER = (
    "91330802DEM000014A", "91330803DEM000022K", "92330825DEM000065R", "93330825DEM000188P", "91330802DEM0000300",
    "91330800DEM00009X3", "12330800DEM0000495", "11330800DEM000196R", "52330802DEM000057Q", "31330000DEM000161U",
    "81330800DEM00017XP", "N2330803DEM000030X", "A1330800DEM000073F", "Y1330800DEM000081M", "91330802DEM000015D",
    "330800000000017", "330802000000016",
)  # fmt: skip


@given(seed=SEEDS, index=st.integers(min_value=0, max_value=PERSONS - 1))
def test_each_number_finds_its_person(seed: int, index: int) -> None:
    """number → index → person gives the person whose number it is."""
    population = Population(seed)
    person = population.person(index)

    assert person in population.find_person(person.id_number)
    assert person.index == index
    assert check_digits.is_resident_number(person.id_number)


@given(seed=SEEDS, index=st.integers(min_value=0, max_value=ORGANIZATIONS - 1))
def test_each_organization_number_finds_its_organization(seed: int, index: int) -> None:
    """Either number of an organization finds it, and nothing else."""
    population = Population(seed)
    organization = population.organization(index)
    numbers = [number for number in (organization.uscc, organization.registration_number) if number]

    assert numbers
    assert [population.find_organization(number) for number in numbers] == [[organization]] * len(numbers)


@given(index=st.integers(min_value=0, max_value=ORGANIZATIONS - 1))
def test_a_representative_holds_that_position(index: int) -> None:
    """The representative of an organization has that position among its positions."""
    organization = POPULATION.organization(index)
    representative = POPULATION.person(organization.representative)

    assert (organization, organization.representative_title) in POPULATION.positions(representative)


@given(seed=SEEDS, size=st.integers(min_value=3, max_value=10**9), data=st.data())
def test_back_inverts_out_of_a_shuffle(seed: int, size: int, data: st.DataObject) -> None:
    """`back` undoes `out` for any size and seed."""
    shuffle = Shuffle.from_seed(size, seed, "test")
    index = data.draw(st.integers(min_value=0, max_value=size - 1))

    assert shuffle.back(shuffle.out(index)) == index


@given(st.text(alphabet="0123456789X", min_size=15, max_size=18))
def test_a_number_finds_its_holders_only(number: str) -> None:
    """Whatever is looked for, only those are found who hold exactly this number."""
    organizations = POPULATION.find_organization(number)

    assert all(number in person.numbers for person in POPULATION.find_person(number))
    assert all(number in (organization.uscc, organization.registration_number) for organization in organizations)


def test_the_same_seed_derives_the_same_population() -> None:
    """The same seed gives the same people in any process; another seed gives others."""
    again, other = Population(1), Population(2)
    sample = range(0, PERSONS, 9_973)

    assert [again.person(index) for index in sample] == [POPULATION.person(index) for index in sample]
    assert [other.person(index) for index in sample] != [POPULATION.person(index) for index in sample]


def test_a_sample_has_every_special_case_of_the_registers() -> None:
    """A sample of it holds movers, the dead, the renamed, employees, and organizations in the usual states."""
    people = [POPULATION.person(index) for index in range(100, 3_100)]
    organizations = [POPULATION.organization(index) for index in range(100, 1_100)]
    states = Counter(organization.state_text for organization in organizations)

    assert (PERSONS, ORGANIZATIONS) == (120_000, 24_000)
    assert len({person.id_number for person in people}) == len(people)
    assert sum(person.residence is not None for person in people) > 600
    assert sum(person.deceased for person in people) > 50
    assert sum(person.former_name is not None for person in people) > 80
    assert sum(person.employer is not None for person in people) > 1_500
    assert set(states) == {"存续（在营、开业、在册）", "注销", "吊销，未注销"}


def test_telephones_and_codes_are_in_unissued_ranges() -> None:
    """Telephones are in ranges that are never issued; organization codes begin with DEM."""
    people = [POPULATION.person(index) for index in range(500)]
    organizations = [POPULATION.organization(index) for index in range(500)]

    assert all(person.telephone.startswith("100") for person in people)
    assert all(organization.telephone.startswith("0570-0") for organization in organizations)
    assert all(organization.uscc is None or organization.uscc[8:11] == "DEM" for organization in organizations)


def test_each_role_of_the_cast_is_in_the_population() -> None:
    """Each role of the cast is held, by its number, in the population."""
    by_number = {
        role: POPULATION.find_person(party.id_number)
        if isinstance(party, SyntheticPerson)
        else POPULATION.find_organization(party.uscc or party.registration_number or "")
        for role, party in POPULATION.cast.items()
    }

    assert {
        "moved", "deceased", "renamed", "under_14", "soldier", "in_custody", "doubled_number", "old_and_new_number",
        "born_before_1985_jiangshan", "company_active", "company_deregistered", "company_revoked",
        "company_revoked_deregistered", "company_rescinded", "company_moved_out", "company_other_state",
        "company_suspended", "company_abnormal", "company_foreign", "company_renamed", "two_with_one_name",
        "cooperative", "village_cooperative", "law_firm", "sole_trader",
    } <= set(POPULATION.cast)  # fmt: skip
    assert all(party in by_number[role] for role, party in POPULATION.cast.items())
    assert {party.index for party in POPULATION.cast.values() if isinstance(party, SyntheticOrganization)} == set(
        range(sum(isinstance(party, SyntheticOrganization) for party in POPULATION.cast.values()))
    )


@pytest.mark.parametrize("number", PERSONS_BY_NUMBER)
def test_each_kind_of_personal_number_is_in_the_population(number: str) -> None:
    """A valid number of each row of the identifier tables belongs to a person."""
    assert [number in person.numbers for person in POPULATION.find_person(number)] == [True]


@pytest.mark.parametrize("number", ORGANIZATIONS_BY_NUMBER)
def test_each_kind_of_organization_number_is_in_the_population(number: str) -> None:
    """A valid number of each registering authority belongs to an organization."""
    assert len(POPULATION.find_organization(number)) == 1


def test_two_persons_can_share_a_number_and_two_firms_a_name() -> None:
    """The doubled number finds two people; the doubled name stands under two codes."""
    doubled = POPULATION.find_person("330825197509030181")
    first, second = POPULATION.cast["two_with_one_name"], POPULATION.cast["two_with_one_name_other"]

    assert [person.name for person in doubled] == ["唐书禾", "曹映舟"]
    assert isinstance(first, SyntheticOrganization)
    assert isinstance(second, SyntheticOrganization)
    assert (first.name, first.uscc == second.uscc) == (second.name, False)


def test_there_are_well_formed_numbers_that_nobody_holds() -> None:
    """For the honest "no record": a valid person's number and a valid code without a holder."""
    assert check_digits.is_resident_number(UNKNOWN_PERSON)
    assert check_digits.is_uscc(UNKNOWN_ORGANIZATION)
    assert (POPULATION.find_person(UNKNOWN_PERSON), POPULATION.find_organization(UNKNOWN_ORGANIZATION)) == ([], [])


def test_an_index_outside_the_population_is_refused() -> None:
    """Indexes end where the population ends."""
    for ask, index in ((POPULATION.person, PERSONS), (POPULATION.organization, ORGANIZATIONS), (POPULATION.person, -1)):
        with pytest.raises(IndexError):
            ask(index)
