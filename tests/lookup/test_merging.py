"""
Merging: one result out of what several agencies say, every field with its sources, nothing averaged and nothing lost.
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


def test_a_field_that_two_lookups_agree_on_names_both(world: Any) -> None:
    """The identity, whole: agreed fields with two sources, single ones with one, the rest not held."""
    result = world.merge(
        world.person,
        world.police(capability="identity", sex=Sex.FEMALE, life_status=LifeStatus.ALIVE),
        world.police(full_name="柯　小明", former_name="柯旧名"),
    )

    def said(value: Any, path: str, *names: str) -> Sourced[Any]:
        return Sourced(
            value=value, sources=tuple(world.source(result, "public_security", name, path) for name in names)
        )

    assert result.identity == SourcedPerson(
        kind="person",
        id_number=said("330802199003071239", "id_number", "identity", "addresses"),
        full_name=said("柯小明", "full_name", "identity", "addresses"),
        former_name=said("柯旧名", "former_name", "addresses"),
        sex=said(Sex.FEMALE, "sex", "identity"),
        life_status=said(LifeStatus.ALIVE, "life_status", "identity"),
    )


def test_sources_that_disagree_stand_side_by_side(world: Any) -> None:
    """The lookup that is made for identity is heard first; the other value is not lost."""
    result = world.merge(
        world.person,
        world.police(born_on=date(1990, 3, 7)),
        world.police(capability="identity", born_on=date(1990, 7, 3)),
    )

    assert result.identity is not None
    assert result.identity.born_on == Sourced(
        value=date(1990, 7, 3),
        sources=(world.source(result, "public_security", "identity", "born_on"),),
        alternatives=(
            Alternative(
                value=date(1990, 3, 7), sources=(world.source(result, "public_security", "addresses", "born_on"),)
            ),
        ),
    )


def test_the_freshest_source_comes_first_by_the_day_and_not_by_the_millisecond(world: Any) -> None:
    """Which agency took longer says nothing; a stored answer of yesterday does."""
    slow = world.police(born_on=date(1990, 3, 7))
    assert slow.reading is not None
    quick = world.police(capability="identity", born_on=date(1990, 7, 3))
    later = replace(slow, reading=replace(slow.reading, answered_at=world.now + timedelta(seconds=3)))
    tomorrow = replace(slow, reading=replace(slow.reading, answered_at=world.now + timedelta(days=1)))

    firsts = [world.merge(world.person, quick, other).identity.born_on.value for other in (later, tomorrow)]

    assert firsts == [date(1990, 7, 3), date(1990, 3, 7)]


@pytest.mark.parametrize("other", ["阿依古丽•买买提", "阿依古丽・买买提", " 阿依古丽 ·买买提"])
def test_a_name_spelt_with_another_dot_is_the_same_name(world: Any, other: str) -> None:
    """Names are compared as they are when access is decided; the first spelling is shown."""
    result = world.merge(
        world.person,
        world.police(full_name="阿依古丽·买买提"),
        world.police(capability="identity", full_name=other),
    )

    assert result.identity.full_name.alternatives == ()
    assert len(result.identity.full_name.sources) == 2


@pytest.mark.parametrize(
    ("one", "other", "equal"),
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
def test_values_are_equal_up_to_blanks_and_width_and_no_further(one: str, other: str, equal: bool) -> None:
    """Nothing is repaired, spelt out or lower-cased."""
    assert (fold(one) == fold(other)) is equal


def test_what_an_ambiguous_answer_holds_is_never_merged(world: Any) -> None:
    """It may be about somebody else."""
    result = world.merge(
        world.person,
        world.police(capability="identity"),
        world.heard(
            "public_security",
            "addresses",
            world.alive(former_name="别人"),
            state=AnswerState.AMBIGUOUS,
            reason=Reason.SEVERAL_MATCHES,
        ),
    )

    assert result.identity is not None
    assert result.identity.former_name is None
    assert len(result.identity.full_name.sources) == 1


def test_an_organization_at_two_registries_is_one_entry(world: Any) -> None:
    """By its code: state in dispute, flags only where a leaf states them."""
    result = world.merge(
        world.organization,
        world.heard(
            "market_regulation",
            "registration",
            OrganizationIdentity(name=world.organization.name, representative="衢大力"),
            OrganizationRegistration(
                name=world.organization.name,
                uscc=world.organization.id_number,
                state=RegistrationState.ACTIVE,
                abnormal_list=True,
            ),
        ),
        world.heard(
            "civil_affairs",
            "registration",
            OrganizationRegistration(
                name=world.organization.name, uscc=world.organization.id_number, state=RegistrationState.MOVED_OUT
            ),
        ),
    )

    def here(path: str) -> Any:
        return world.source(result, "market_regulation", "registration", path)

    def there(path: str) -> Any:
        return world.source(result, "civil_affairs", "registration", path)

    assert result.identity == SourcedOrganization(
        kind="organization",
        name=Sourced(value=world.organization.name, sources=(here("name"),)),
        representative=Sourced(value="衢大力", sources=(here("representative"),)),
    )
    assert result.registrations == (
        SourcedRegistration(
            kind="organization",
            name=Sourced(value=world.organization.name, sources=(there("name"), here("name"))),
            state=Sourced(
                value=RegistrationState.MOVED_OUT,
                sources=(there("state"),),
                alternatives=(Alternative(value=RegistrationState.ACTIVE, sources=(here("state"),)),),
            ),
            uscc=Sourced(value=world.organization.id_number, sources=(there("uscc"), here("uscc"))),
            abnormal_list=Sourced(value=True, sources=(here("abnormal_list"),)),
        ),
    )


def test_entries_of_one_agency_stay_apart_however_alike(world: Any) -> None:
    """Two periods of one insurance at one employer are two facts and no contradiction."""
    pension = InsuranceParticipation(
        insurance=InsuranceKind.ENTERPRISE_PENSION, state=ParticipationState.ENDED, employer="示例工厂"
    )

    result = world.merge(
        world.person,
        world.heard(
            "human_resources",
            "participation",
            pension,
            replace(pension, state=ParticipationState.ACTIVE, paid_until="2026-10"),
        ),
        world.heard("market_regulation", "positions", Position(organization="示例商行", role="经营者")),
    )

    def insured(value: Any, path: str) -> Sourced[Any]:
        return Sourced(value=value, sources=(world.source(result, "human_resources", "participation", path),))

    def placed(value: Any, path: str) -> Sourced[Any]:
        return Sourced(value=value, sources=(world.source(result, "market_regulation", "positions", path),))

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


def test_insurances_that_differ_in_their_kind_alone_are_one_entry(world: Any) -> None:
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

    result = world.merge(world.person, world.heard("human_resources", "participation", *records))

    kinds = [entry.insurance.value for entry in result.registrations]
    assert kinds == [
        (InsuranceKind.ENTERPRISE_PENSION, InsuranceKind.EMPLOYEE_HEALTH),
        (InsuranceKind.ENTERPRISE_PENSION,),
        (InsuranceKind.WORK_INJURY,),
        (InsuranceKind.EMPLOYEE_HEALTH,),
    ]


@pytest.mark.parametrize("want", Want)
def test_only_what_was_asked_for_is_released(world: Any, want: Want) -> None:
    """A capability that serves two wants does not widen the answer."""
    answers = (
        world.police(world.address(AddressKind.HOUSEHOLD, "示例路1号")),
        world.heard("market_regulation", "positions", Position(organization="示例商行", role="经营者")),
    )

    result = world.merge(world.person, *answers, wants=frozenset({want}))

    assert result.sections == (want.value,)


def test_each_question_has_its_entry(world: Any) -> None:
    """One of the six states each; nothing of the agency's own words but its reference number."""
    quiet = replace(world.not_heard("human_resources", "participation", reason=Reason.THROTTLED), retry_after=30.0)

    result = world.merge(world.person, world.police(), quiet)

    assert result.answers == (
        AgencyAnswer(
            agency="public_security",
            capability="addresses",
            state=AnswerState.FOUND,
            elapsed_ms=40,
            as_of=world.now,
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


def test_doubts_about_the_identifier_travel_with_the_result(world: Any) -> None:
    """Soft findings of the number, printed."""
    result = world.merge(world.person, warnings=(IdentifierWarning.REGION_UNKNOWN,))

    assert result.warnings == (coded_text(IdentifierWarning.REGION_UNKNOWN),)


def test_nobody_heard_is_no_identity_and_no_error(world: Any) -> None:
    """Half an answer is an answer, and so is none."""
    result = world.merge(world.person, world.not_heard("public_security", "identity"))

    assert (result.identity, result.registrations, result.sections) == (None, (), ())


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (records.PersonIdentity, sourced.SourcedPerson),
        (records.OrganizationIdentity, sourced.SourcedOrganization),
        (records.OrganizationRegistration, sourced.SourcedRegistration),
        (records.Position, sourced.SourcedPosition),
        (records.InsuranceParticipation, sourced.SourcedInsurance),
    ],
)
def test_what_is_shown_has_the_fields_of_what_is_held(record: type[Any], shown: type[Any]) -> None:
    """A field that an agency may hold cannot fall out on the way."""
    assert {field.name for field in fields(record)} | {"kind"} == {field.name for field in fields(shown)}
