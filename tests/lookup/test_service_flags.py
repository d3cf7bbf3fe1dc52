"""
Service flags: facts that change the way of service, with their sources and the sources that dispute them.
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


def from_the_case(path: str) -> Source:
    """The source of a fact that the case itself states."""
    return Source(path=path)


def codes(result: Any) -> list[ServiceFlagCode]:
    """The codes of the flags that are set."""
    return [flag.code for flag in result.switches]


def test_party_without_such_facts_has_no_flag(scenario: Any) -> None:
    """Alive, adult, with the name of the work order."""
    result = scenario.merge(
        scenario.person, scenario.police(life_status=LifeStatus.ALIVE, serving_soldier=False, born_on=date(1990, 3, 7))
    )

    assert result.switches == ()


def test_death_stops_service_even_when_disputed(scenario: Any) -> None:
    """One agency states a death, others dispute it by life status and insurance: the flag stays."""
    result = scenario.merge(
        scenario.person,
        scenario.police(capability="identity", life_status=LifeStatus.DECEASED),
        scenario.police(capability="addresses", life_status=LifeStatus.ALIVE),
        scenario.answered(
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
            sources=(scenario.source(result, "public_security", "identity", "life_status"),),
            disputed_by=(
                scenario.source(result, "public_security", "addresses", "life_status"),
                scenario.source(result, "human_resources", "participation", "state"),
            ),
        ),
    )


def test_soldier_is_served_through_the_unit(scenario: Any) -> None:
    """Military flag: article 92."""
    result = scenario.merge(scenario.person, scenario.police(serving_soldier=True))

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.SERVING_SOLDIER,
            (scenario.source(result, "public_security", "addresses", "serving_soldier"),),
        ),
    )


def test_party_in_custody_is_served_through_the_institution(scenario: Any) -> None:
    """Known to the case: article 93."""
    result = scenario.merge(scenario.person, scenario.police(), case=CaseFile(in_custody=True))

    assert result.switches == (ServiceFlag.from_code(ServiceFlagCode.IN_CUSTODY, (from_the_case("in_custody"),)),)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RegistrationState.ACTIVE, None),
        (RegistrationState.DEREGISTERED, ServiceFlagCode.DEREGISTERED),
        (RegistrationState.REVOKED_DEREGISTERED, ServiceFlagCode.DEREGISTERED),
        (RegistrationState.REVOKED, ServiceFlagCode.REVOKED),
    ],
)
def test_registration_state_sets_deregistered_or_revoked(
    scenario: Any, state: RegistrationState, code: ServiceFlagCode | None
) -> None:
    """Deregistered: the judge decides; revoked: still a party, with a warning."""
    result = scenario.merge(scenario.organization, scenario.registry(state=state))

    source = scenario.source(result, "market_regulation", "registration", "state")
    assert result.switches == ((ServiceFlag.from_code(code, (source,)),) if code else ())


def test_registry_with_another_state_disputes_the_flag(scenario: Any) -> None:
    """The flag is set, and the other registry is listed as disputing it."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(state=RegistrationState.DEREGISTERED),
        scenario.registry(agency="civil_affairs"),
    )

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.DEREGISTERED,
            (scenario.source(result, "market_regulation", "registration", "state"),),
            (scenario.source(result, "civil_affairs", "registration", "state"),),
        ),
    )


@pytest.mark.parametrize(
    ("until", "suspended"), [(date(2026, 11, 23), True), (date(2026, 11, 22), False), (None, False)]
)
def test_suspension_lasts_until_its_last_day(scenario: Any, until: date | None, suspended: bool) -> None:
    """Stated by the registration or by the legal-document address."""
    address = scenario.address(AddressKind.LEGAL_DOCUMENTS, "示例路9号", valid_until=until, as_of=date(2025, 1, 1))

    result = scenario.merge(scenario.organization, scenario.registry(address, suspended_until=until))

    sources = (
        scenario.source(result, "market_regulation", "registration", "suspended_until"),
        scenario.source(result, "market_regulation", "registration", "valid_until", date(2025, 1, 1)),
    )
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.SUSPENDED, sources),) if suspended else ())


def test_end_of_another_address_is_no_suspension(scenario: Any) -> None:
    """Only the legal-document address concerns 歇业."""
    address = scenario.address(AddressKind.SERVICE_RECIPIENT, "示例路9号", valid_until=date(2027, 1, 1))

    assert scenario.merge(scenario.organization, scenario.registry(address)).switches == ()


def test_abnormal_list_is_a_warning(scenario: Any) -> None:
    """Other ways of service are tried early."""
    result = scenario.merge(scenario.organization, scenario.registry(abnormal_list=True))

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.ABNORMAL_LIST,
            (scenario.source(result, "market_regulation", "registration", "abnormal_list"),),
        ),
    )


def test_party_abroad_is_served_under_article_283(scenario: Any) -> None:
    """Stated by the case; set once, even if the passport implies it too."""
    traveller = replace(scenario.person, id_type=IdType.PASSPORT, id_number="X0000000", country="USA")

    assert scenario.merge(traveller, case=CaseFile(party_abroad=True)).switches == (
        ServiceFlag.from_code(ServiceFlagCode.PARTY_ABROAD, (from_the_case("party_abroad"),)),
    )


@pytest.mark.parametrize(
    ("id_type", "country", "answered", "abroad"),
    [
        (IdType.PASSPORT, "USA", False, True),
        (IdType.PASSPORT, "CHN", False, False),
        (IdType.PASSPORT, "156", False, False),
        (IdType.PERMANENT_RESIDENCE, None, True, True),
        (IdType.PERMANENT_RESIDENCE, None, False, False),
        (IdType.RESIDENT_ID, None, True, False),
    ],
)
def test_foreigner_without_domicile_is_served_under_article_283(
    scenario: Any, id_type: IdType, country: str | None, answered: bool, abroad: bool
) -> None:
    """Foreign passport; or permanent residence, once every agency has answered and none has an address."""
    party = replace(scenario.person, id_type=id_type, country=country)
    answer = (
        scenario.answered("public_security", "addresses", state=AnswerState.NOT_FOUND)
        if answered
        else scenario.unanswered("public_security", "addresses", AnswerState.NOT_ASKED, Reason.ID_TYPE_NOT_SUPPORTED)
    )

    result = scenario.merge(party, answer)

    source = from_the_case("id_type")
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.PARTY_ABROAD, (source,)),) if abroad else ())


def test_foreigner_with_a_registered_residence_is_not_abroad(scenario: Any) -> None:
    """A usable address is a domicile in China."""
    party = replace(scenario.person, id_type=IdType.PERMANENT_RESIDENCE)
    answer = scenario.answered(
        "public_security", "addresses", scenario.identity(), scenario.address(AddressKind.RESIDENCE, "示例路1号")
    )

    assert scenario.merge(party, answer).switches == ()


@pytest.mark.parametrize(
    ("simplified", "answered", "barred"),
    [
        (True, AnswerState.NOT_FOUND, True),
        (False, AnswerState.NOT_FOUND, False),
        (True, AnswerState.UNAVAILABLE, False),
    ],
)
def test_simplified_procedure_without_address_bars_announcement(
    scenario: Any, simplified: bool, answered: AnswerState, barred: bool
) -> None:
    """The judge decides; an agency without an answer does not mean a missing address."""
    answer = (
        scenario.answered("public_security", "addresses", state=answered)
        if answered is AnswerState.NOT_FOUND
        else scenario.unanswered("public_security", "addresses")
    )

    result = scenario.merge(scenario.person, answer, simplified_procedure=simplified)

    source = from_the_case("simplified_procedure")
    assert result.switches == (
        (ServiceFlag.from_code(ServiceFlagCode.ANNOUNCEMENT_BARRED, (source,)),) if barred else ()
    )


def test_death_sets_no_flag_about_announcement(scenario: Any) -> None:
    """Effect `stop` comes without flags about ways of service."""
    result = scenario.merge(
        scenario.person, scenario.police(life_status=LifeStatus.DECEASED), simplified_procedure=True
    )

    assert codes(result) == [ServiceFlagCode.DECEASED]


@pytest.mark.parametrize(
    ("born_on", "under_14"),
    [(date(2012, 11, 24), True), (date(2012, 11, 23), False), (date(2012, 11, 22), False)],
)
def test_birth_date_sets_under_14(scenario: Any, born_on: date, under_14: bool) -> None:
    """Until the fourteenth birthday, by the day in China."""
    result = scenario.merge(scenario.person, scenario.police(born_on=born_on))

    source = scenario.source(result, "public_security", "addresses", "born_on")
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
def test_number_sets_under_14_when_no_agency_answers(
    scenario: Any, id_type: IdType, number: str, under_14: bool
) -> None:
    """A child's data are sensitive before any agency answers; an unconfirmed number layout counts for nothing."""
    child = replace(scenario.person, id_type=id_type, id_number=number)

    result = scenario.merge(child, scenario.unanswered("public_security", "addresses"))

    source = from_the_case("id_number")
    assert result.switches == ((ServiceFlag.from_code(ServiceFlagCode.UNDER_14, (source,)),) if under_14 else ())


def test_child_of_29_february_turns_14_on_1_march(scenario: Any) -> None:
    """2012-02-29 and 2026: a common year."""
    answer = scenario.police(born_on=date(2012, 2, 29))

    on_28 = scenario.merge(scenario.person, answer, now=scenario.now.replace(month=2, day=28))
    on_1 = scenario.merge(scenario.person, answer, now=scenario.now.replace(month=3, day=1))

    assert (codes(on_28), codes(on_1)) == ([ServiceFlagCode.UNDER_14], [])


@pytest.mark.parametrize("reason", [Reason.NAME_MISMATCH, Reason.SEVERAL_MATCHES])
@pytest.mark.parametrize("capability", ["identity", "addresses"])
def test_ambiguous_number_withholds_addresses(scenario: Any, capability: str, reason: Reason) -> None:
    """The name does not match the number, or two persons have it."""
    result = scenario.merge(
        scenario.person,
        scenario.answered(
            "public_security", capability, scenario.identity(), state=AnswerState.AMBIGUOUS, reason=reason
        ),
    )

    source = replace(scenario.source(result, "public_security", capability, "state"), path="state")
    assert result.switches == (ServiceFlag.from_code(ServiceFlagCode.AMBIGUOUS_IDENTITY, (source,)),)


def test_ambiguous_positions_do_not_withhold_addresses(scenario: Any) -> None:
    """Only the registrations are ambiguous."""
    result = scenario.merge(
        scenario.person,
        scenario.police(),
        scenario.answered("market_regulation", "positions", state=AnswerState.AMBIGUOUS, reason=Reason.SEVERAL_MATCHES),
    )

    assert result.switches == ()


def test_two_names_with_one_number_are_ambiguous(scenario: Any) -> None:
    """Each agency found one person; the names differ and no former name connects them."""
    result = scenario.merge(
        scenario.person,
        scenario.police(capability="identity", full_name="衢大力"),
        scenario.police(capability="addresses"),
    )

    assert result.switches == (
        ServiceFlag.from_code(
            ServiceFlagCode.AMBIGUOUS_IDENTITY,
            (
                scenario.source(result, "public_security", "addresses", "full_name"),
                scenario.source(result, "public_security", "identity", "full_name"),
            ),
        ),
    )


def test_name_that_differs_from_the_work_order_withholds_addresses(scenario: Any) -> None:
    """Of an organization too."""
    person = scenario.merge(replace(scenario.person, name="衢大力"), scenario.police())
    organization = scenario.merge(
        scenario.organization,
        scenario.answered("market_regulation", "registration", OrganizationIdentity(name="龙游示例有限公司")),
    )

    assert (codes(person), codes(organization)) == (
        [ServiceFlagCode.AMBIGUOUS_IDENTITY],
        [ServiceFlagCode.AMBIGUOUS_IDENTITY],
    )


@pytest.mark.parametrize("named", ["柯小明", "柯旧名", "柯 小明", None])
def test_former_name_connects_two_names(scenario: Any, named: str | None) -> None:
    """In the work order or at any agency."""
    result = scenario.merge(
        replace(scenario.person, name=named),
        scenario.police(capability="identity", full_name="柯旧名"),
        scenario.police(capability="addresses", former_name="柯旧名"),
    )

    assert result.switches == ()


def test_middle_dot_variants_are_one_name(scenario: Any) -> None:
    """Registers write the dot of a transcribed name in several ways."""
    result = scenario.merge(replace(scenario.person, name="示例•买买提"), scenario.police(full_name="示例·买买提"))

    assert result.switches == ()


def test_flags_are_ordered_by_gravity_for_every_want(scenario: Any) -> None:
    """Every lookup has the flags, whatever it wants."""
    result = scenario.merge(
        scenario.person,
        scenario.police(serving_soldier=True, born_on=date(2015, 1, 1), life_status=LifeStatus.DECEASED),
        wants=frozenset({Want.IDENTITY}),
    )

    assert codes(result) == [ServiceFlagCode.DECEASED, ServiceFlagCode.SERVING_SOLDIER, ServiceFlagCode.UNDER_14]


def test_every_flag_has_an_effect_and_texts() -> None:
    """The list is closed."""
    assert all(isinstance(code.effect, Effect) and code.zh and code.en for code in ServiceFlagCode)
