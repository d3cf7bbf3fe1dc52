"""
Address ranking under 法发〔2017〕19号 arts. 1–2, 8, 9: the cases of the law.
"""

from datetime import date
from typing import Any

import pytest

from schemas.address import (
    AddressWarning,
    CaseFile,
    Ladder,
    LadderNote,
    ServiceAddress,
)
from schemas.coded_text import coded_text
from schemas.codes import AddressKind, AnswerState, Reason, Want
from schemas.lookup import LookupResult

HOME = "浙江省衢州市柯城区示例路1号"
FLAT = "浙江省杭州市拱墅区示例街2号"
OFFICE = "浙江省衢州市衢江区示例大道3号"
OTHER_OFFICE = "浙江省衢州市龙游县示例巷4号"


def ranked(result: LookupResult) -> list[tuple[int | None, AddressKind, str]]:
    """The list of addresses as a reader sees its order."""
    return [(address.rank, address.kind, address.text.value) for address in result.addresses]


def codes(address: ServiceAddress) -> list[AddressWarning]:
    """The warnings of an address, as words."""
    return [warning.code for warning in address.warnings]


def test_confirmed_address_precedes_contract_and_household(scenario: Any) -> None:
    """确认书 + household + contract clause: 0, 1, 5."""
    case = CaseFile(
        addresses=(
            scenario.case_address(AddressKind.AGREED, "合同约定地址", evidence="C-7 cl. 12"),
            scenario.case_address(AddressKind.CONFIRMED, "确认书地址", evidence="F-1"),
        )
    )

    result = scenario.merge(
        scenario.person,
        scenario.police(scenario.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1))),
        case=case,
    )

    assert ranked(result) == [
        (0, AddressKind.CONFIRMED, "确认书地址"),
        (1, AddressKind.AGREED, "合同约定地址"),
        (5, AddressKind.HOUSEHOLD, HOME),
    ]
    assert [[(source.document, source.answer) for source in address.text.sources] for address in result.addresses] == [
        [("F-1", None)],
        [("C-7 cl. 12", None)],
        [(None, 0)],
    ]


def test_address_of_a_lawsuit_400_days_ago_is_a_lead(scenario: Any) -> None:
    """Other suit 400 days ago + registered office: 5; the suit's address as lead."""
    case = CaseFile(addresses=(scenario.case_address(AddressKind.OTHER_LAWSUIT, FLAT, as_of=date(2025, 10, 19)),))

    result = scenario.merge(
        scenario.organization,
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE, as_of=date(2020, 1, 1))),
        case=case,
    )

    assert ranked(result) == [(5, AddressKind.DOMICILE, OFFICE), (None, AddressKind.OTHER_LAWSUIT, FLAT)]
    assert codes(result.addresses[1]) == [AddressWarning.OUTSIDE_PERIOD]
    assert result.addresses[1].legal_basis == ()


def test_newest_of_household_and_residence_is_first(scenario: Any) -> None:
    """Household 2009, registered residence 2024: both 5, residence first."""
    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            scenario.address(AddressKind.RESIDENCE, FLAT, as_of=date(2024, 3, 1)),
        ),
    )

    assert ranked(result) == [(5, AddressKind.RESIDENCE, FLAT), (5, AddressKind.HOUSEHOLD, HOME)]


def test_office_on_the_abnormal_list_follows_a_clean_one(scenario: Any) -> None:
    """Office on the abnormal list, office of another registry clean: both 5, clean one first, warning on the other."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 1, 1), adverse=True),
            abnormal_list=True,
        ),
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, OTHER_OFFICE, as_of=date(2019, 1, 1)), agency="civil_affairs"
        ),
    )

    assert ranked(result) == [(5, AddressKind.DOMICILE, OTHER_OFFICE), (5, AddressKind.DOMICILE, OFFICE)]
    assert [codes(address) for address in result.addresses] == [[], [AddressWarning.ABNORMAL_LIST]]


def test_employer_and_declared_address_are_leads(scenario: Any) -> None:
    """Employer and `AAE006` only: two leads, notes about rank 5 and the agency that did not answer."""
    result = scenario.merge(
        scenario.person,
        scenario.answered(
            "human_resources",
            "participation",
            scenario.address(AddressKind.CONTACT, FLAT, as_of=date(2026, 8, 19)),
            scenario.address(AddressKind.EMPLOYER, "示例贸易有限公司"),
        ),
        scenario.unanswered("public_security", "addresses"),
    )

    assert ranked(result) == [(None, AddressKind.CONTACT, FLAT), (None, AddressKind.EMPLOYER, "示例贸易有限公司")]
    assert [address.lead for address in result.addresses] == [True, True]
    assert result.ladder == Ladder(
        complete=False,
        not_heard=("public_security",),
        notes=(coded_text(LadderNote.INCOMPLETE), coded_text(LadderNote.RANK_FIVE_MISSING)),
    )


def test_unavailable_agency_makes_the_list_incomplete(scenario: Any) -> None:
    """Police `unavailable`: the list is incomplete and has no note that there is no address."""
    result = scenario.merge(
        scenario.person,
        scenario.unanswered("public_security", "addresses"),
        scenario.answered("human_resources", "participation", state=AnswerState.NOT_FOUND),
    )

    assert result.addresses == ()
    assert result.ladder == Ladder(
        complete=False,
        not_heard=("public_security",),
        notes=(coded_text(LadderNote.INCOMPLETE), coded_text(LadderNote.RANK_FIVE_MISSING)),
    )


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (AnswerState.UNAVAILABLE, Reason.TIMEOUT),
        (AnswerState.REFUSED, Reason.NO_PERMISSION),
        (AnswerState.NOT_ASKED, Reason.ID_TYPE_NOT_SUPPORTED),
    ],
)
def test_agency_without_an_answer_is_listed_for_any_reason(scenario: Any, state: AnswerState, reason: Reason) -> None:
    """Only `found`, `not_found` and `ambiguous` are answers."""
    result = scenario.merge(scenario.person, scenario.unanswered("public_security", "addresses", state, reason))

    assert (result.ladder.complete, result.ladder.not_heard) == (False, ("public_security",))


def test_none_ranked_is_noted_when_every_agency_answered(scenario: Any) -> None:
    """Every agency answered and none has an address: the list is complete and says so."""
    result = scenario.merge(
        scenario.person,
        scenario.answered("public_security", "addresses", state=AnswerState.NOT_FOUND),
        scenario.answered("human_resources", "participation", state=AnswerState.NOT_FOUND),
        scenario.unanswered("market_regulation", "positions"),
    )

    assert result.ladder == Ladder(
        complete=True, notes=(coded_text(LadderNote.RANK_FIVE_MISSING), coded_text(LadderNote.NONE_RANKED))
    )


def test_list_is_incomplete_when_no_agency_was_asked(scenario: Any) -> None:
    """Without a question no agency has answered."""
    result = scenario.merge(scenario.person)

    assert (result.ladder.complete, result.ladder.notes) == (
        False,
        (coded_text(LadderNote.INCOMPLETE), coded_text(LadderNote.RANK_FIVE_MISSING)),
    )


def test_unwanted_addresses_are_left_out_with_a_note(scenario: Any) -> None:
    """They are neither released nor reported as missing."""
    result = scenario.merge(
        scenario.person,
        scenario.police(scenario.address(AddressKind.HOUSEHOLD, HOME)),
        wants=frozenset({Want.IDENTITY}),
    )

    assert (result.addresses, result.ladder) == ((), Ladder(complete=False, notes=(coded_text(LadderNote.NOT_WANTED),)))
