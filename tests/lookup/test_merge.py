"""
Merging the answers of several agencies: every field has its sources, nothing is averaged and nothing is lost.
"""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.lookup.statements import fold
from schemas import records, sourced
from schemas.coded_text import coded_text
from schemas.codes import (
    AddressKind,
    AnswerState,
    InsuranceKind,
    LifeStatus,
    ParticipationState,
    Reason,
    RegistrationState,
    Sex,
    Want,
)
from schemas.identifiers import IdentifierWarning
from schemas.lookup import AgencyAnswer
from schemas.provenance import Alternative, Sourced
from schemas.records import InsuranceParticipation, OrganizationIdentity, OrganizationRegistration, Position
from schemas.sourced import SourcedInsurance, SourcedOrganization, SourcedPerson, SourcedPosition, SourcedRegistration


def test_field_that_two_capabilities_agree_on_has_both_sources(scenario: Any) -> None:
    """The whole identity: two sources where both agree, one for the others, and empty fields left out."""
    result = scenario.merge(
        scenario.person,
        scenario.police(capability="identity", sex=Sex.FEMALE, life_status=LifeStatus.ALIVE),
        scenario.police(full_name="柯　小明", former_name="柯旧名"),
    )

    def expected(value: Any, path: str, *names: str) -> Sourced[Any]:
        return Sourced(
            value=value, sources=tuple(scenario.source(result, "public_security", name, path) for name in names)
        )

    assert result.identity == SourcedPerson(
        kind="person",
        id_number=expected("330802199003071239", "id_number", "identity", "addresses"),
        full_name=expected("柯小明", "full_name", "identity", "addresses"),
        former_name=expected("柯旧名", "former_name", "addresses"),
        sex=expected(Sex.FEMALE, "sex", "identity"),
        life_status=expected(LifeStatus.ALIVE, "life_status", "identity"),
    )


def test_disagreeing_source_becomes_an_alternative(scenario: Any) -> None:
    """The capability that serves identity alone comes first; the other value is kept."""
    result = scenario.merge(
        scenario.person,
        scenario.police(born_on=date(1990, 3, 7)),
        scenario.police(capability="identity", born_on=date(1990, 7, 3)),
    )

    assert result.identity is not None
    assert result.identity.born_on == Sourced(
        value=date(1990, 7, 3),
        sources=(scenario.source(result, "public_security", "identity", "born_on"),),
        alternatives=(
            Alternative(
                value=date(1990, 3, 7), sources=(scenario.source(result, "public_security", "addresses", "born_on"),)
            ),
        ),
    )


def test_freshest_source_is_first_by_day_and_not_by_millisecond(scenario: Any) -> None:
    """Response times do not count; a cached answer of yesterday does."""
    slow = scenario.police(born_on=date(1990, 3, 7))
    assert slow.reading is not None
    quick = scenario.police(capability="identity", born_on=date(1990, 7, 3))
    later = replace(slow, reading=replace(slow.reading, answered_at=scenario.now + timedelta(seconds=3)))
    tomorrow = replace(slow, reading=replace(slow.reading, answered_at=scenario.now + timedelta(days=1)))

    firsts = [scenario.merge(scenario.person, quick, other).identity.born_on.value for other in (later, tomorrow)]

    assert firsts == [date(1990, 7, 3), date(1990, 3, 7)]


@pytest.mark.parametrize("other", ["阿依古丽•买买提", "阿依古丽・买买提", " 阿依古丽 ·买买提"])
def test_name_with_another_middle_dot_is_the_same_name(scenario: Any, other: str) -> None:
    """Names are compared as in access decisions; the first spelling is shown."""
    result = scenario.merge(
        scenario.person,
        scenario.police(full_name="阿依古丽·买买提"),
        scenario.police(capability="identity", full_name=other),
    )

    assert result.identity.full_name.alternatives == ()
    assert len(result.identity.full_name.sources) == 2


@pytest.mark.parametrize(
    ("text", "other", "equal"),
    [
        ("示例路1号", " 示例路　１号 ", True),
        ("(衢州)ABC", "（衢州）ＡＢＣ", True),
        ("示例路1\u200b号", "示例路1号", True),
        ("示例路1号", "示例路11号", False),
        ("ABC", "abc", False),
        ("示例路一号", "示例路1号", False),
        ("示例•小明", "示例·小明", False),
    ],
)
def test_values_are_equal_up_to_blanks_and_width_only(text: str, other: str, equal: bool) -> None:
    """Nothing is repaired, written out or lower-cased."""
    assert (fold(text) == fold(other)) is equal


def test_ambiguous_answer_is_never_merged(scenario: Any) -> None:
    """It may be about another subject."""
    result = scenario.merge(
        scenario.person,
        scenario.police(capability="identity"),
        scenario.answered(
            "public_security",
            "addresses",
            scenario.identity(former_name="别人"),
            state=AnswerState.AMBIGUOUS,
            reason=Reason.SEVERAL_MATCHES,
        ),
    )

    assert result.identity is not None
    assert result.identity.former_name is None
    assert len(result.identity.full_name.sources) == 1


def test_organization_at_two_registries_is_one_entry(scenario: Any) -> None:
    """Matched by its code: the state has an alternative, and flags only the source that states them."""
    result = scenario.merge(
        scenario.organization,
        scenario.answered(
            "market_regulation",
            "registration",
            OrganizationIdentity(name=scenario.organization.name, representative="衢大力"),
            OrganizationRegistration(
                name=scenario.organization.name,
                uscc=scenario.organization.id_number,
                state=RegistrationState.ACTIVE,
                abnormal_list=True,
            ),
        ),
        scenario.answered(
            "civil_affairs",
            "registration",
            OrganizationRegistration(
                name=scenario.organization.name, uscc=scenario.organization.id_number, state=RegistrationState.MOVED_OUT
            ),
        ),
    )

    def here(path: str) -> Any:
        return scenario.source(result, "market_regulation", "registration", path)

    def there(path: str) -> Any:
        return scenario.source(result, "civil_affairs", "registration", path)

    assert result.identity == SourcedOrganization(
        kind="organization",
        name=Sourced(value=scenario.organization.name, sources=(here("name"),)),
        representative=Sourced(value="衢大力", sources=(here("representative"),)),
    )
    assert result.registrations == (
        SourcedRegistration(
            kind="organization",
            name=Sourced(value=scenario.organization.name, sources=(there("name"), here("name"))),
            state=Sourced(
                value=RegistrationState.MOVED_OUT,
                sources=(there("state"),),
                alternatives=(Alternative(value=RegistrationState.ACTIVE, sources=(here("state"),)),),
            ),
            uscc=Sourced(value=scenario.organization.id_number, sources=(there("uscc"), here("uscc"))),
            abnormal_list=Sourced(value=True, sources=(here("abnormal_list"),)),
        ),
    )


def test_similar_entries_of_one_agency_stay_separate(scenario: Any) -> None:
    """Two periods of one insurance at one employer are two facts and no conflict."""
    pension = InsuranceParticipation(
        insurance=InsuranceKind.ENTERPRISE_PENSION, state=ParticipationState.ENDED, employer="示例工厂"
    )

    result = scenario.merge(
        scenario.person,
        scenario.answered(
            "human_resources",
            "participation",
            pension,
            replace(pension, state=ParticipationState.ACTIVE, paid_until="2026-10"),
        ),
        scenario.answered("market_regulation", "positions", Position(organization="示例商行", role="经营者")),
    )

    def insured(value: Any, path: str) -> Sourced[Any]:
        return Sourced(value=value, sources=(scenario.source(result, "human_resources", "participation", path),))

    def placed(value: Any, path: str) -> Sourced[Any]:
        return Sourced(value=value, sources=(scenario.source(result, "market_regulation", "positions", path),))

    alike = {
        "insurance": insured((InsuranceKind.ENTERPRISE_PENSION,), "insurance"),
        "employer": insured("示例工厂", "employer"),
    }
    assert result.registrations == (
        SourcedPosition(
            kind="position", organization=placed("示例商行", "organization"), role=placed("经营者", "role")
        ),
        SourcedInsurance(kind="insurance", **alike, state=insured(ParticipationState.ENDED, "state")),
        SourcedInsurance(
            kind="insurance",
            **alike,
            state=insured(ParticipationState.ACTIVE, "state"),
            paid_until=insured("2026-10", "paid_until"),
        ),
    )


def test_insurances_that_differ_in_their_kind_alone_are_one_entry(scenario: Any) -> None:
    """One employer, one period, one state: said once, for all kinds; another state or employer is another entry."""
    pension = InsuranceParticipation(
        insurance=InsuranceKind.ENTERPRISE_PENSION, state=ParticipationState.ACTIVE, employer="示例工厂"
    )
    health = replace(pension, insurance=InsuranceKind.EMPLOYEE_HEALTH)
    records = (
        pension,
        replace(pension, employer="另一工厂"),
        health,
        replace(pension, insurance=InsuranceKind.WORK_INJURY, state=ParticipationState.PAUSED),
        health,
    )

    result = scenario.merge(scenario.person, scenario.answered("human_resources", "participation", *records))

    kinds = [entry.insurance.value for entry in result.registrations]
    assert kinds == [
        (InsuranceKind.ENTERPRISE_PENSION, InsuranceKind.EMPLOYEE_HEALTH),
        (InsuranceKind.ENTERPRISE_PENSION,),
        (InsuranceKind.WORK_INJURY,),
        (InsuranceKind.EMPLOYEE_HEALTH,),
    ]


@pytest.mark.parametrize("want", Want)
def test_only_wanted_sections_are_filled(scenario: Any, want: Want) -> None:
    """A capability that serves two wants does not widen the result."""
    answers = (
        scenario.police(scenario.address(AddressKind.HOUSEHOLD, "示例路1号")),
        scenario.answered("market_regulation", "positions", Position(organization="示例商行", role="经营者")),
    )

    result = scenario.merge(scenario.person, *answers, wants=frozenset({want}))

    assert result.sections == (want.value,)


def test_each_question_has_an_answer_entry(scenario: Any) -> None:
    """With one of the six states; the reference number is the only text of the agency."""
    throttled = replace(
        scenario.unanswered("human_resources", "participation", reason=Reason.THROTTLED), retry_after=30.0
    )

    result = scenario.merge(scenario.person, scenario.police(), throttled)

    assert result.answers == (
        AgencyAnswer(
            agency="public_security",
            capability="addresses",
            state=AnswerState.FOUND,
            elapsed_ms=40,
            as_of=scenario.now,
            reference="public_security-1",
            attempts=1,
        ),
        AgencyAnswer(
            agency="human_resources",
            capability="participation",
            state=AnswerState.UNAVAILABLE,
            reason=Reason.THROTTLED,
            elapsed_ms=4000,
            retry_after=30.0,
            attempts=0,
        ),
    )


def test_identifier_warnings_are_part_of_the_result(scenario: Any) -> None:
    """Warnings about the number, with their texts."""
    result = scenario.merge(scenario.person, warnings=(IdentifierWarning.REGION_UNKNOWN,))

    assert result.warnings == (coded_text(IdentifierWarning.REGION_UNKNOWN),)


def test_result_without_any_answer_is_empty_and_no_error(scenario: Any) -> None:
    """A result without identity and registrations."""
    result = scenario.merge(scenario.person, scenario.unanswered("public_security", "identity"))

    assert (result.identity, result.registrations, result.sections) == (None, (), ())


@pytest.mark.parametrize(
    ("record", "result_class"),
    [
        (records.PersonIdentity, sourced.SourcedPerson),
        (records.OrganizationIdentity, sourced.SourcedOrganization),
        (records.OrganizationRegistration, sourced.SourcedRegistration),
        (records.Position, sourced.SourcedPosition),
        (records.InsuranceParticipation, sourced.SourcedInsurance),
    ],
)
def test_sourced_class_has_the_fields_of_its_record(record: type[Any], result_class: type[Any]) -> None:
    """No field of a record is lost in a result."""
    assert {field.name for field in fields(record)} | {"kind"} == {field.name for field in fields(result_class)}
