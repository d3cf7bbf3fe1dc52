"""
The switches: facts that change the way of service, each with its source and who says otherwise.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.address import CaseFile
from schemas.codes import (
    AddressKind,
    AnswerState,
    IdType,
    InsuranceKind,
    LifeStatus,
    ParticipationState,
    Reason,
    RegistrationState,
    Want,
)
from schemas.provenance import Source
from schemas.records import InsuranceParticipation, OrganizationIdentity
from schemas.service_flag import Effect, ServiceFlag, ServiceFlagCode


def from_the_case(world: Any, path: str) -> Source:
    """The source of a fact that the case itself states."""
    return Source(path=path)


def codes(result: Any) -> list[ServiceFlagCode]:
    """The switches that are on."""
    return [switch.code for switch in result.switches]


def test_a_party_without_any_such_fact_has_no_switch(world: Any) -> None:
    """Alive, of age, named as in the work order."""
    result = world.merge(
        world.person, world.police(life_status=LifeStatus.ALIVE, serving_soldier=False, born_on=date(1990, 3, 7))
    )

    assert result.switches == ()


def test_death_stops_and_stays_on_although_others_say_otherwise(world: Any) -> None:
    """One agency says deceased, others show life and current insurance: shown, and stop wins."""
    result = world.merge(
        world.person,
        world.police(capability="identity", life_status=LifeStatus.DECEASED),
        world.police(capability="addresses", life_status=LifeStatus.ALIVE),
        world.heard(
            "human_resources",
            "participation",
            InsuranceParticipation(insurance=InsuranceKind.ENTERPRISE_PENSION, state=ParticipationState.ACTIVE),
            InsuranceParticipation(insurance=InsuranceKind.WORK_INJURY, state=ParticipationState.ENDED),
        ),
    )

    assert result.switches == (
        ServiceFlag(
            code=ServiceFlagCode.DECEASED,
            effect=Effect.STOP,
            zh=ServiceFlagCode.DECEASED.zh,
            en=ServiceFlagCode.DECEASED.en,
            sources=(world.source(result, "public_security", "identity", "life_status"),),
            disputed_by=(
                world.source(result, "public_security", "addresses", "life_status"),
                world.source(result, "human_resources", "participation", "state"),
            ),
        ),
    )


def test_a_serving_soldier_is_served_through_the_unit(world: Any) -> None:
    """Military flag: article 92."""
    result = world.merge(world.person, world.police(serving_soldier=True))

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.SERVING_SOLDIER, (world.source(result, "public_security", "addresses", "serving_soldier"),)
        ),
    )


def test_a_party_in_custody_is_served_through_the_institution(world: Any) -> None:
    """Known to the case: article 93."""
    result = world.merge(world.person, world.police(), case=CaseFile(in_custody=True))

    assert result.switches == (
        ServiceFlag.from_code(ServiceFlagCode.IN_CUSTODY, (from_the_case(world, "in_custody"),)),
    )


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RegistrationState.ACTIVE, None),
        (RegistrationState.DEREGISTERED, ServiceFlagCode.DEREGISTERED),
        (RegistrationState.REVOKED_DEREGISTERED, ServiceFlagCode.DEREGISTERED),
        (RegistrationState.REVOKED, ServiceFlagCode.REVOKED),
    ],
)
def test_the_state_of_the_registration_decides_whether_there_is_still_a_party(
    world: Any, state: RegistrationState, code: ServiceFlagCode | None
) -> None:
    """Deregistered: tell the judge; revoked: still a party, with a warning."""
    result = world.merge(world.organization, world.registry(state=state))

    source = world.source(result, "market_regulation", "registration", "state")
    assert result.switches == ((ServiceFlag.from_code(code, (source,)),) if code else ())


def test_registries_that_differ_about_the_state_are_both_named(world: Any) -> None:
    """The switch is on, and the other registry disputes it."""
    result = world.merge(
        world.organization,
        world.registry(state=RegistrationState.DEREGISTERED),
        world.registry(agency="civil_affairs"),
    )

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.DEREGISTERED,
            (world.source(result, "market_regulation", "registration", "state"),),
            (world.source(result, "civil_affairs", "registration", "state"),),
        ),
    )


@pytest.mark.parametrize(
    ("until", "suspended"), [(date(2026, 11, 23), True), (date(2026, 11, 22), False), (None, False)]
)
def test_a_suspended_organization_is_served_at_its_legal_document_address(
    world: Any, until: date | None, suspended: bool
) -> None:
    """On until the last day of the suspension, by the registration and by the address alike."""
    address = world.address(AddressKind.LEGAL_DOCUMENTS, "示例路9号", valid_until=until, as_of=date(2025, 1, 1))

    result = world.merge(world.organization, world.registry(address, suspended_until=until))

    sources = (
        world.source(result, "market_regulation", "registration", "suspended_until"),
        world.source(result, "market_regulation", "registration", "valid_until", date(2025, 1, 1)),
    )
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.SUSPENDED, sources),) if suspended else ())


def test_the_end_of_another_address_is_no_suspension(world: Any) -> None:
    """Only the legal-document address belongs to 歇业."""
    address = world.address(AddressKind.SERVICE_RECIPIENT, "示例路9号", valid_until=date(2027, 1, 1))

    assert world.merge(world.organization, world.registry(address)).switches == ()


def test_the_abnormal_list_is_a_warning(world: Any) -> None:
    """Other ways early."""
    result = world.merge(world.organization, world.registry(abnormal_list=True))

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.ABNORMAL_LIST, (world.source(result, "market_regulation", "registration", "abnormal_list"),)
        ),
    )


def test_a_party_abroad_takes_article_283(world: Any) -> None:
    """Known to the case; said once, even where the paper says it too."""
    traveller = replace(world.person, id_type=IdType.PASSPORT, id_number="X0000000", country="USA")

    assert world.merge(traveller, case=CaseFile(party_abroad=True)).switches == (
        ServiceFlag.from_code(ServiceFlagCode.PARTY_ABROAD, (from_the_case(world, "party_abroad"),)),
    )


@pytest.mark.parametrize(
    ("id_type", "country", "heard", "abroad"),
    [
        (IdType.PASSPORT, "USA", False, True),
        (IdType.PASSPORT, "CHN", False, False),
        (IdType.PASSPORT, "156", False, False),
        (IdType.PERMANENT_RESIDENCE, None, True, True),
        (IdType.PERMANENT_RESIDENCE, None, False, False),
        (IdType.RESIDENT_ID, None, True, False),
    ],
)
def test_a_foreigner_without_domicile_here_takes_article_283(
    world: Any, id_type: IdType, country: str | None, heard: bool, abroad: bool
) -> None:
    """By a foreign paper; or by permanent residence, once every agency was heard and none holds an address."""
    party = replace(world.person, id_type=id_type, country=country)
    answer = (
        world.heard("public_security", "addresses", state=AnswerState.NOT_FOUND)
        if heard
        else world.not_heard("public_security", "addresses", AnswerState.NOT_ASKED, Reason.ID_TYPE_NOT_SUPPORTED)
    )

    result = world.merge(party, answer)

    source = from_the_case(world, "id_type")
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.PARTY_ABROAD, (source,)),) if abroad else ())


def test_a_foreigner_with_a_registered_residence_is_served_there(world: Any) -> None:
    """A usable address is a domicile here."""
    party = replace(world.person, id_type=IdType.PERMANENT_RESIDENCE)
    answer = world.heard(
        "public_security", "addresses", world.alive(), world.address(AddressKind.RESIDENCE, "示例路1号")
    )

    assert world.merge(party, answer).switches == ()


@pytest.mark.parametrize(
    ("simplified", "answered", "barred"),
    [
        (True, AnswerState.NOT_FOUND, True),
        (False, AnswerState.NOT_FOUND, False),
        (True, AnswerState.UNAVAILABLE, False),
    ],
)
def test_in_simplified_procedure_a_party_without_address_cannot_be_announced(
    world: Any, simplified: bool, answered: AnswerState, barred: bool
) -> None:
    """Tell the judge; but an agency that was not heard is no missing address."""
    answer = (
        world.heard("public_security", "addresses", state=answered)
        if answered is AnswerState.NOT_FOUND
        else world.not_heard("public_security", "addresses")
    )

    result = world.merge(world.person, answer, simplified_procedure=simplified)

    source = from_the_case(world, "simplified_procedure")
    assert result.switches == (
        (ServiceFlag.from_code(ServiceFlagCode.ANNOUNCEMENT_BARRED, (source,)),) if barred else ()
    )


def test_announcement_is_no_question_after_death(world: Any) -> None:
    """Stop is said, and nothing about ways of service beside it."""
    result = world.merge(world.person, world.police(life_status=LifeStatus.DECEASED), simplified_procedure=True)

    assert codes(result) == [ServiceFlagCode.DECEASED]


@pytest.mark.parametrize(
    ("born_on", "under_14"),
    [(date(2012, 11, 24), True), (date(2012, 11, 23), False), (date(2012, 11, 22), False)],
)
def test_under_14_needs_another_approval(world: Any, born_on: date, under_14: bool) -> None:
    """Until the fourteenth birthday, in China's calendar."""
    result = world.merge(world.person, world.police(born_on=born_on))

    source = world.source(result, "public_security", "addresses", "born_on")
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.UNDER_14, (source,)),) if under_14 else ())


@pytest.mark.parametrize(
    ("id_type", "number", "under_14"),
    [
        (IdType.RESIDENT_ID, "330802202001010015", True),
        (IdType.RESIDENT_ID, "330802900307123", False),
        (IdType.RESIDENT_ID, "330802199003071239", False),
        (IdType.PERMANENT_RESIDENCE, "911840202001010015", False),
    ],
)
def test_the_number_itself_tells_a_child_when_no_agency_does(
    world: Any, id_type: IdType, number: str, under_14: bool
) -> None:
    """A child's data are sensitive before any agency has answered; an unconfirmed layout tells nothing."""
    child = replace(world.person, id_type=id_type, id_number=number)

    result = world.merge(child, world.not_heard("public_security", "addresses"))

    source = from_the_case(world, "id_number")
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.UNDER_14, (source,)),) if under_14 else ())


def test_a_29_february_child_turns_14_on_1_march(world: Any) -> None:
    """2012-02-29 and 2026: a common year."""
    answer = world.police(born_on=date(2012, 2, 29))

    on_28 = world.merge(world.person, answer, now=world.now.replace(month=2, day=28))
    on_1 = world.merge(world.person, answer, now=world.now.replace(month=3, day=1))

    assert (codes(on_28), codes(on_1)) == ([ServiceFlagCode.UNDER_14], [])


@pytest.mark.parametrize("reason", [Reason.NAME_MISMATCH, Reason.SEVERAL_MATCHES])
@pytest.mark.parametrize("capability", ["identity", "addresses"])
def test_a_number_that_does_not_settle_who_it_is_withholds_addresses(
    world: Any, capability: str, reason: Reason
) -> None:
    """Name does not match number; two persons on one number."""
    result = world.merge(
        world.person,
        world.heard("public_security", capability, world.alive(), state=AnswerState.AMBIGUOUS, reason=reason),
    )

    source = replace(world.source(result, "public_security", capability, "state"), path="state")
    assert result.switches == (ServiceFlag.from_code(ServiceFlagCode.AMBIGUOUS_IDENTITY, (source,)),)


def test_positions_that_are_not_settled_say_nothing_about_the_address(world: Any) -> None:
    """Registrations alone are in doubt."""
    result = world.merge(
        world.person,
        world.police(),
        world.heard("market_regulation", "positions", state=AnswerState.AMBIGUOUS, reason=Reason.SEVERAL_MATCHES),
    )

    assert result.switches == ()


def test_two_names_on_one_number_are_never_one_person(world: Any) -> None:
    """Each agency found exactly one; they differ, and no name leads from one to the other."""
    result = world.merge(
        world.person, world.police(capability="identity", full_name="衢大力"), world.police(capability="addresses")
    )

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.AMBIGUOUS_IDENTITY,
            (
                world.source(result, "public_security", "addresses", "full_name"),
                world.source(result, "public_security", "identity", "full_name"),
            ),
        ),
    )


def test_a_name_that_differs_from_the_work_order_withholds_addresses(world: Any) -> None:
    """Also for an organization."""
    person = world.merge(replace(world.person, name="衢大力"), world.police())
    organization = world.merge(
        world.organization,
        world.heard("market_regulation", "registration", OrganizationIdentity(name="龙游示例有限公司")),
    )

    assert (codes(person), codes(organization)) == (
        [ServiceFlagCode.AMBIGUOUS_IDENTITY],
        [ServiceFlagCode.AMBIGUOUS_IDENTITY],
    )


@pytest.mark.parametrize("named", ["柯小明", "柯旧名", "柯 小明", None])
def test_a_renamed_person_is_one_person(world: Any, named: str | None) -> None:
    """The former name joins old and new, wherever each of them stands."""
    result = world.merge(
        replace(world.person, name=named),
        world.police(capability="identity", full_name="柯旧名"),
        world.police(capability="addresses", former_name="柯旧名"),
    )

    assert result.switches == ()


def test_the_dot_in_a_name_is_no_other_person(world: Any) -> None:
    """Registers write the dot of a transcribed name in several ways."""
    result = world.merge(replace(world.person, name="示例•买买提"), world.police(full_name="示例·买买提"))

    assert result.switches == ()


def test_switches_come_gravest_first_and_whatever_was_wanted(world: Any) -> None:
    """Whether anything may be served is told with every lookup."""
    result = world.merge(
        world.person,
        world.police(serving_soldier=True, born_on=date(2015, 1, 1), life_status=LifeStatus.DECEASED),
        wants=frozenset({Want.IDENTITY}),
    )

    assert codes(result) == [ServiceFlagCode.DECEASED, ServiceFlagCode.SERVING_SOLDIER, ServiceFlagCode.UNDER_14]


def test_every_switch_has_an_effect_and_a_sentence_in_both_languages() -> None:
    """The list is closed."""
    assert all(isinstance(code.effect, Effect) and code.zh and code.en for code in ServiceFlagCode)
