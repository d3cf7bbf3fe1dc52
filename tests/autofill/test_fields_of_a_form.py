"""
From a result to the fields of a form: nothing is guessed, and what a person must decide is left to that person.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.errors import ConfigurationError
from gateway.access.catalogue import Catalogue
from gateway.access.catalogue.kinds import Scope
from gateway.access.catalogue.masks import Mask
from gateway.autofill.filling import FilledField, counted, fill, withheld
from gateway.autofill.template_loader import load_forms
from gateway.autofill.templates import FormTemplate
from gateway.lookup.fan_out import AgencyReply
from schemas.codes import AddressKind, AnswerState, IdType, InsuranceKind, ParticipationState, Reason, SubjectKind, Want
from schemas.records import InsuranceParticipation
from schemas.work_order import PartyRole, PartyStatement
from tests.lookup.conftest import Scenario, scenario

__all__ = ["scenario"]

FORMS, CATALOGUE = load_forms(), Catalogue.load()
SCOPES = CATALOGUE.kinds["service-of-process"].scopes
PARTY = PartyStatement(
    role=PartyRole.DEFENDANT,
    kind=SubjectKind.PERSON,
    id_type=IdType.RESIDENT_ID,
    id_number="330802199003071239",
    name="柯小明",
)


def form() -> FormTemplate:
    found = FORMS.get("service")
    assert found is not None
    return found


def filled(scenario: Scenario, *answers: AgencyReply, going_on: bool = False) -> dict[str, FilledField]:
    """The fields of the form out of these answers."""
    result = scenario.merge(scenario.person, *answers)
    serves = {(one.agency, one.capability.name): one.capability.serves for one in answers}
    trail = {key: 40 + place for place, key in enumerate(serves)}
    fields = fill(form(), PARTY, result, scopes=SCOPES, serves=serves, trail=trail, going_on=going_on)
    return {one.name: one for one in fields}


def test_sources_that_disagree_leave_the_field_to_a_person(scenario: Scenario) -> None:
    """Both values are there to choose from, with their sources; none stands in the field."""
    identity = scenario.answered(
        "public_security", "identity", scenario.identity(life_status=None, former_name="柯大明")
    )
    other = scenario.police(former_name="柯二明")

    field = filled(scenario, identity, other)["DSR_CYM"]

    assert (field.state, field.value, field.for_a_person) == ("conflict", None, True)
    assert sorted(str(said.value) for said in field.said) == ["柯二明", "柯大明"]
    assert {said.audit for said in field.said} == {(40,), (41,)}


def test_several_employers_are_for_a_person_to_choose(scenario: Scenario) -> None:
    """Two entries of one kind with different values are not one value."""

    def insured(employer: str) -> InsuranceParticipation:
        return InsuranceParticipation(
            insurance=InsuranceKind.UNEMPLOYMENT, state=ParticipationState.ACTIVE, employer=employer
        )

    answer = scenario.answered("human_resources", "participation", insured("甲公司"), insured("乙公司"))

    field = filled(scenario, scenario.police(), answer)["RY_CBDW"]

    assert (field.state, field.value) == ("several", None)
    assert [said.value for said in field.said] == ["甲公司", "乙公司"]


def test_a_lead_is_never_filled_in_as_an_address(scenario: Scenario) -> None:
    """It is shown to a person, who decides."""
    lead = scenario.answered("human_resources", "participation", scenario.address(AddressKind.CONTACT, "某路1号"))

    field = filled(scenario, scenario.police(), lead)["SD_DZ"]

    assert (field.state, field.value, [said.value for said in field.said]) == ("lead_only", None, ["某路1号"])


def test_an_address_is_not_filled_while_a_better_one_may_come(scenario: Scenario) -> None:
    """Once every agency was heard, or the deadline is over, it is."""
    police = scenario.police(scenario.address(AddressKind.HOUSEHOLD, "示范一路12号", as_of=date(2020, 1, 1)))
    away = scenario.unanswered("human_resources", "participation")

    assert filled(scenario, police, away, going_on=True)["SD_DZ"].state == "pending"
    assert filled(scenario, police, away)["SD_DZ"].value == "示范一路12号"


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (AnswerState.UNAVAILABLE, Reason.TIMEOUT, "unavailable"),
        (AnswerState.REFUSED, Reason.NO_PERMISSION, "refused"),
        (AnswerState.NOT_ASKED, Reason.NOT_CONFIGURED, "not_asked"),
    ],
)
def test_an_empty_field_says_why_it_is_empty(
    scenario: Scenario, state: AnswerState, reason: Reason, expected: str
) -> None:
    """As the agency that could have said it."""
    answer = scenario.unanswered("human_resources", "participation", state, reason)

    field = filled(scenario, scenario.police(), answer)["RY_CBDW"]

    assert (field.state, field.reason, field.for_a_person) == (expected, reason, False)


def test_an_agency_that_is_closed_now_may_still_be_heard(scenario: Scenario) -> None:
    """Not asked, with a moment to come back: pending, then not available."""
    closed = replace(
        scenario.unanswered("human_resources", "participation", AnswerState.NOT_ASKED, Reason.OUTSIDE_HOURS),
        retry_after=600.0,
    )

    assert filled(scenario, scenario.police(), closed, going_on=True)["RY_CBDW"].state == "pending"
    assert filled(scenario, scenario.police(), closed)["RY_CBDW"].state == "unavailable"


def test_a_right_that_became_narrower_leaves_out_and_masks_what_was_filled(scenario: Scenario) -> None:
    """What is shown is what the grant covers now."""
    name = filled(scenario, scenario.police())["DSR_XM"]
    masked = {Want.IDENTITY: Scope(fields=frozenset({"full_name", "name"}), masks={"full_name": Mask.FIRST})}

    assert withheld(form(), PARTY, masked, name).value == "柯••••••"
    assert withheld(form(), PARTY, masked, name).said[0].value == "柯••••••"
    assert withheld(form(), PARTY, {}, name).state == "not_granted"
    assert "柯" not in repr(name)


def test_the_counts_of_a_form_tell_what_is_left_to_do(scenario: Scenario) -> None:
    """As they stand in the log."""
    fields = filled(scenario, scenario.police()).values()

    counts = counted(list(fields))

    assert counts["fields"] == len(fields)
    assert counts["for_a_person"] + counts["missing"] < counts["fields"]


def test_templates_are_checked_against_vocabulary_and_grant(tmp_path: Path) -> None:
    """Everything that is wrong is said at once, with the file and the field."""
    (tmp_path / "wrong.toml").write_text(
        'zh = "表"\nen = "Form"\nkinds = ["archive-check", "no-kind"]\n'
        '[fields.A]\nzh = "地址"\nen = "Address"\nfrom = "addresses.text"\n',
        encoding="utf-8",
    )
    (tmp_path / "worse.toml").write_text(
        'zh = "表"\nkinds = ["archive-check"]\n[fields.B]\nzh = "名"\nen = "Name"\nfrom = "identity.full_nam"\n'
        'as = "loud"\n[fields.C]\nzh = "生日"\nen = "Born"\nfrom = "identity.born_on"\nmask = "ends"\n',
        encoding="utf-8",
    )

    with pytest.raises(ConfigurationError) as unreadable:
        load_forms(tmp_path)
    (tmp_path / "worse.toml").unlink()
    with pytest.raises(ConfigurationError) as ungranted:
        load_forms(tmp_path).check(CATALOGUE)

    assert str(unreadable.value).splitlines() == [
        "worse.toml, line 1: en: is missing; fix: write en = …",
        "worse.toml, line 6: fields.B.from: names identity.full_nam, which no lookup has; "
        "fix: write identity.full_name",
        "worse.toml, line 7: fields.B.as: is none of the choices; "
        "fix: write one of 'date_zh', 'date_plain', 'zh', 'en', 'yes_no', 'upper' or 'region'",
        "worse.toml, line 12: fields.C.mask: masks what is not a text; fix: leave the field out instead",
    ]
    assert "fields.A wants addresses.text, which the kind archive-check does not grant" in str(ungranted.value)
    assert "names no-kind, which the catalogue does not have" in str(ungranted.value)
    assert "kinds.repeated-service.autofill names the form repeated-service" in str(ungranted.value)
