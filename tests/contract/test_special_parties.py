"""
What the installed agencies say about the special parties of the mock agencies' cast.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adapters.contract import Adapter
from mock_agencies.population import Population, SyntheticOrganization, SyntheticPerson
from schemas.codes import AddressKind, AnswerState, IdType, LifeStatus, Reason, RegistrationState, SubjectKind
from schemas.identifiers.authorities import Authority
from schemas.records import AddressRecord, OrganizationIdentity, OrganizationRegistration, PersonIdentity
from schemas.subject import Subject
from tests.contract.scenarios import Ask, Play, Scenario

pytestmark = pytest.mark.anyio

About = Callable[[str, str, Subject | str], Awaitable[Play]]

CAST = Population(1).cast

# Numbers whose stated type is not "resident identity number".
ID_TYPES = {
    "permit_hong_kong": IdType.RESIDENCE_PERMIT,
    "permit_macao": IdType.RESIDENCE_PERMIT,
    "permit_taiwan": IdType.RESIDENCE_PERMIT,
    "foreigner": IdType.PERMANENT_RESIDENCE,
    "foreigner_old_and_new_number": IdType.PERMANENT_RESIDENCE,
}


def party(role: str) -> Subject:
    """A party of the cast as a case file would name it."""
    member = CAST[role]
    if isinstance(member, SyntheticPerson):
        return Subject(
            kind=SubjectKind.PERSON,
            id_type=ID_TYPES.get(role, IdType.RESIDENT_ID),
            id_number=member.id_number,
            name=member.name,
        )
    return Subject(
        kind=SubjectKind.ORGANIZATION,
        id_type=IdType.USCC if member.uscc else IdType.REGISTRATION_NUMBER,
        id_number=str(member.uscc or member.registration_number),
        name=member.name,
    )


@pytest.fixture
def about(ask: Ask) -> About:
    """Asks one lookup about a party of the cast, or about a subject."""

    async def ask_about(agency: str, capability: str, subject: Subject | str) -> Play:
        party_asked = party(subject) if isinstance(subject, str) else subject
        return await ask(Scenario(agency, capability), subject=party_asked)

    return ask_about


def records_of(play: Play, record: type) -> list[Any]:
    """The records of one type."""
    return [candidate for candidate, _ in play.records if isinstance(candidate, record)]


def kinds(play: Play) -> set[AddressKind]:
    """The kinds of address that were read."""
    return {address.kind for address in records_of(play, AddressRecord)}


@pytest.mark.parametrize("role", CAST)
async def test_every_party_of_the_cast_gets_a_plain_answer(
    role: str, about: About, adapters: dict[str, type[Adapter]]
) -> None:
    """However odd a party is, no undisturbed answer is unreadable, and none brings drift."""
    for agency, adapter in adapters.items():
        for name, declared in adapter.capabilities.items():
            if declared.subject is party(role).kind:
                play = await about(agency, name, role)
                assert play.state in set(AnswerState) - {AnswerState.UNAVAILABLE, AnswerState.REFUSED}
                assert play.drift == ()


async def test_a_person_who_moved_has_both_police_addresses_and_two_leads(about: About) -> None:
    """Household and registered residence from the police; employer and declared address from human resources."""
    police = await about("public_security", "addresses", "moved")
    insurance = await about("human_resources", "participation", "moved")

    assert {AddressKind.HOUSEHOLD, AddressKind.RESIDENCE} <= kinds(police)
    assert kinds(insurance) == {AddressKind.EMPLOYER, AddressKind.CONTACT}


async def test_an_address_that_is_not_registered_as_residence_stays_a_lead(about: About) -> None:
    """The police's other addresses are no habitual residence."""
    assert AddressKind.OTHER_RESIDENCE in kinds(await about("public_security", "addresses", "living_elsewhere"))


async def test_the_dead_are_reported_dead_by_both_police_registers(about: About) -> None:
    """The switch that stops service has two sources."""
    for name in ("identity", "addresses"):
        play = await about("public_security", name, "deceased")
        assert [person.life_status for person in records_of(play, PersonIdentity)] == [LifeStatus.DECEASED]


async def test_a_soldier_is_flagged(about: About) -> None:
    """Only the request service knows, and only as a flag."""
    play = await about("public_security", "addresses", "soldier")

    assert [person.serving_soldier for person in records_of(play, PersonIdentity)] == [True]


async def test_two_persons_on_one_number_are_ambiguous(about: About) -> None:
    """Both are held for a clerk to choose from; the name in the question picks none of them."""
    play = await about("public_security", "addresses", "doubled_number")

    assert (play.state, play.reason) == (AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES)
    names = {CAST["doubled_number"].name, CAST["doubled_number_other"].name}
    assert {person.full_name for person in records_of(play, PersonIdentity)} == names


async def test_a_renamed_person_is_found_by_either_name_in_the_household_record(about: About) -> None:
    """The population base knows today's name only, and does not vouch for the name that it was asked with."""
    renamed = CAST["renamed"]
    assert isinstance(renamed, SyntheticPerson)
    old = replace(party("renamed"), name=renamed.former_name)

    by_old_name = await about("public_security", "addresses", old)
    assert by_old_name.state is AnswerState.FOUND
    assert [person.former_name for person in records_of(by_old_name, PersonIdentity)] == [renamed.former_name]
    denied = await about("public_security", "identity", old)
    assert (denied.state, denied.reason, denied.records) == (AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH, [])


async def test_an_old_number_finds_the_holder_of_the_new_one(about: About) -> None:
    """A file with 15 digits reaches the person whom the register keeps under 18."""
    old = replace(party("old_and_new_number"), id_number="330802900307123")

    assert (await about("public_security", "addresses", old)).state is AnswerState.FOUND


@pytest.mark.parametrize(
    ("role", "state"),
    [
        ("company_active", RegistrationState.ACTIVE),
        ("company_deregistered", RegistrationState.DEREGISTERED),
        ("company_revoked", RegistrationState.REVOKED),
        ("company_revoked_deregistered", RegistrationState.REVOKED_DEREGISTERED),
        ("company_rescinded", RegistrationState.RESCINDED),
        ("company_moved_out", RegistrationState.MOVED_OUT),
        ("company_other_state", RegistrationState.OTHER),
        ("company_without_code", RegistrationState.REVOKED),
    ],
)
async def test_a_company_is_registered_in_its_state(role: str, state: RegistrationState, about: About) -> None:
    """Every state of CA19 is read by its text."""
    play = await about("market_regulation", "registration", role)

    assert [registration.state for registration in records_of(play, OrganizationRegistration)] == [state]


async def test_a_suspended_company_has_an_address_for_legal_documents(about: About) -> None:
    """It stands beside the domicile until its last day."""
    play = await about("market_regulation", "registration", "company_suspended")

    assert kinds(play) == {AddressKind.DOMICILE, AddressKind.LEGAL_DOCUMENTS}
    ends = [
        address.valid_until
        for address in records_of(play, AddressRecord)
        if address.kind is AddressKind.LEGAL_DOCUMENTS
    ]
    assert ends == [date(2028, 2, 29)]


async def test_a_foreign_invested_company_has_a_recipient(about: About) -> None:
    """Name and role stand beside the address."""
    play = await about("market_regulation", "registration", "company_foreign")

    recipients = [
        address for address in records_of(play, AddressRecord) if address.kind is AddressKind.SERVICE_RECIPIENT
    ]
    assert [(address.recipient, address.recipient_role) for address in recipients] == [("金秋帆", "法律文件送达接受人")]


async def test_the_abnormal_list_marks_the_domicile(about: About) -> None:
    """The registry itself could not reach the company there."""
    play = await about("market_regulation", "registration", "company_abnormal")

    assert [address.adverse for address in records_of(play, AddressRecord) if address.kind is AddressKind.DOMICILE] == [
        True
    ]


async def test_a_company_under_its_former_name_is_ambiguous(about: About) -> None:
    """It exists, under another name: neither "no record" nor silently the new name."""
    renamed = CAST["company_renamed"]
    assert isinstance(renamed, SyntheticOrganization)

    play = await about("market_regulation", "registration", replace(party("company_renamed"), name=renamed.former_name))

    assert (play.state, play.reason) == (AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH)


@pytest.mark.parametrize(("role", "title"), [("sole_trader", "经营者"), ("cooperative", "法定代表人")])
async def test_the_representative_is_called_by_the_type(role: str, title: str, about: About) -> None:
    """A sole trader has an operator, a cooperative a legal representative."""
    play = await about("market_regulation", "registration", role)

    assert [identity.representative_role for identity in records_of(play, OrganizationIdentity)] == [title]


@pytest.mark.parametrize(
    ("role", "authority"),
    [
        ("village_cooperative", Authority.AGRICULTURE),
        ("law_firm", Authority.JUSTICE),
        ("institution", Authority.STAFFING),
        ("state_organ", Authority.STAFFING),
        ("association", Authority.CIVIL_AFFAIRS),
        ("trade_union", Authority.TRADE_UNIONS),
        ("military_body", Authority.MILITARY),
        ("other_authority", Authority.OTHER),
    ],
)
async def test_an_organization_of_another_registry_is_not_asked_about_here(
    role: str, authority: Authority, about: About
) -> None:
    """Nothing is sent, and the authority that would know is named."""
    play = await about("market_regulation", "registration", role)

    assert (play.state, play.reason, play.sent) == (AnswerState.NOT_ASKED, Reason.OTHER_AUTHORITY, {})
    assert play.error.authority is authority
