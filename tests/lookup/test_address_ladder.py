"""
The address ladder: 法发〔2017〕19号 arts. 1–2, 8, 9, row by row of the law's own cases.
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


def rungs(result: LookupResult) -> list[tuple[int | None, AddressKind, str]]:
    """The list of addresses as a reader sees its order."""
    return [(one.rank, one.kind, one.text.value) for one in result.addresses]


def codes(address: ServiceAddress) -> list[AddressWarning]:
    """The warnings of an address, as words."""
    return [warning.code for warning in address.warnings]


def test_a_confirmed_address_comes_before_the_contract_and_the_contract_before_the_household(world: Any) -> None:
    """确认书 + household + contract clause: 0, 1, 5."""
    case = CaseFile(
        addresses=(
            world.known(AddressKind.AGREED, "合同约定地址", evidence="C-7 cl. 12"),
            world.known(AddressKind.CONFIRMED, "确认书地址", evidence="F-1"),
        )
    )

    result = world.merge(
        world.person, world.police(world.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1))), case=case
    )

    assert rungs(result) == [
        (0, AddressKind.CONFIRMED, "确认书地址"),
        (1, AddressKind.AGREED, "合同约定地址"),
        (5, AddressKind.HOUSEHOLD, HOME),
    ]
    assert [[(source.document, source.answer) for source in address.text.sources] for address in result.addresses] == [
        [("F-1", None)],
        [("C-7 cl. 12", None)],
        [(None, 0)],
    ]


def test_another_suit_of_400_days_ago_is_a_lead_below_the_registered_office(world: Any) -> None:
    """Other suit 400 days ago + registered office: 5; the suit's address as lead."""
    case = CaseFile(addresses=(world.known(AddressKind.OTHER_LAWSUIT, FLAT, as_of=date(2025, 10, 19)),))

    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE, as_of=date(2020, 1, 1))),
        case=case,
    )

    assert rungs(result) == [(5, AddressKind.DOMICILE, OFFICE), (None, AddressKind.OTHER_LAWSUIT, FLAT)]
    assert codes(result.addresses[1]) == [AddressWarning.OUTSIDE_PERIOD]
    assert result.addresses[1].legal_basis == ()


def test_of_household_and_habitual_residence_the_newest_is_first(world: Any) -> None:
    """Household 2009, registered residence 2024: both 5, residence first."""
    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            world.address(AddressKind.RESIDENCE, FLAT, as_of=date(2024, 3, 1)),
        ),
    )

    assert rungs(result) == [(5, AddressKind.RESIDENCE, FLAT), (5, AddressKind.HOUSEHOLD, HOME)]


def test_a_clean_registered_office_comes_before_one_on_the_abnormal_list(world: Any) -> None:
    """Office on the abnormal list, office of another registry clean: both 5, clean one first, warning on the other."""
    result = world.merge(
        world.organization,
        world.registry(
            world.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 1, 1), adverse=True),
            abnormal_list=True,
        ),
        world.registry(
            world.address(AddressKind.DOMICILE, OTHER_OFFICE, as_of=date(2019, 1, 1)), agency="civil_affairs"
        ),
    )

    assert rungs(result) == [(5, AddressKind.DOMICILE, OTHER_OFFICE), (5, AddressKind.DOMICILE, OFFICE)]
    assert [codes(address) for address in result.addresses] == [[], [AddressWarning.ABNORMAL_LIST]]


def test_employer_and_declared_address_alone_leave_the_ladder_without_a_rank(world: Any) -> None:
    """Employer and `AAE006` only: two leads, rank 5 is said to be missing, and who was not heard."""
    result = world.merge(
        world.person,
        world.heard(
            "human_resources",
            "participation",
            world.address(AddressKind.CONTACT, FLAT, as_of=date(2026, 8, 19)),
            world.address(AddressKind.EMPLOYER, "示例贸易有限公司"),
        ),
        world.not_heard("public_security", "addresses"),
    )

    assert rungs(result) == [(None, AddressKind.CONTACT, FLAT), (None, AddressKind.EMPLOYER, "示例贸易有限公司")]
    assert [address.lead for address in result.addresses] == [True, True]
    assert result.ladder == Ladder(
        complete=False,
        not_heard=("public_security",),
        notes=(coded_text(LadderNote.INCOMPLETE), coded_text(LadderNote.RANK_FIVE_MISSING)),
    )


def test_police_unavailable_never_reads_as_no_address(world: Any) -> None:
    """Police `unavailable`: the ladder is incomplete and does not say that there is no address."""
    result = world.merge(
        world.person,
        world.not_heard("public_security", "addresses"),
        world.heard("human_resources", "participation", state=AnswerState.NOT_FOUND),
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
def test_who_did_not_answer_was_not_heard_whatever_the_reason(world: Any, state: AnswerState, reason: Reason) -> None:
    """Only `found` and `not_found` count as tried."""
    result = world.merge(world.person, world.not_heard("public_security", "addresses", state, reason))

    assert (result.ladder.complete, result.ladder.not_heard) == (False, ("public_security",))


def test_only_when_every_agency_was_heard_the_list_may_say_that_there_is_none(world: Any) -> None:
    """Nobody holds an address and everybody was heard: then it is said."""
    result = world.merge(
        world.person,
        world.heard("public_security", "addresses", state=AnswerState.NOT_FOUND),
        world.heard("human_resources", "participation", state=AnswerState.NOT_FOUND),
        world.not_heard("market_regulation", "positions"),
    )

    assert result.ladder == Ladder(
        complete=True, notes=(coded_text(LadderNote.RANK_FIVE_MISSING), coded_text(LadderNote.NONE_RANKED))
    )


def test_a_lookup_that_asked_no_agency_for_addresses_is_not_complete(world: Any) -> None:
    """Nobody asked is nobody heard."""
    result = world.merge(world.person)

    assert (result.ladder.complete, result.ladder.notes) == (
        False,
        (coded_text(LadderNote.INCOMPLETE), coded_text(LadderNote.RANK_FIVE_MISSING)),
    )


def test_a_lookup_that_did_not_want_addresses_says_so(world: Any) -> None:
    """What was not asked for is not released, and not called missing."""
    result = world.merge(
        world.person, world.police(world.address(AddressKind.HOUSEHOLD, HOME)), wants=frozenset({Want.IDENTITY})
    )

    assert (result.addresses, result.ladder) == ((), Ladder(complete=False, notes=(coded_text(LadderNote.NOT_WANTED),)))
