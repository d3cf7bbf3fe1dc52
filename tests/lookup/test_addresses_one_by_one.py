"""
One address: until when it counts, what it carries, and what moves it down or off the ladder.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.lookup.address_ranking import RankingRules, first_day
from gateway.lookup.address_ranks import ADDRESS_RANKS, LEADS
from schemas.address import (
    AddressWarning,
    CaseFile,
    Delivery,
    DeliveryOutcome,
    LadderNote,
    Precondition,
    PreconditionCode,
    RefusalState,
    ServiceAddress,
)
from schemas.coded_text import coded_text
from schemas.codes import AddressKind
from schemas.legal_basis import LegalBasis
from schemas.lookup import LookupResult
from schemas.provenance import Alternative, Sourced

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


@pytest.mark.parametrize(
    ("as_of", "rank", "warnings"),
    [
        (date(2025, 11, 24), 3, []),
        (date(2025, 11, 23), 3, []),
        (date(2025, 11, 22), None, [AddressWarning.OUTSIDE_PERIOD]),
        (None, None, [AddressWarning.DATE_MISSING]),
        (date(2026, 11, 24), None, [AddressWarning.DATE_MISSING, AddressWarning.DATE_IN_FUTURE]),
    ],
    ids=["a day less", "exactly one year", "one day more", "no date", "a date in the future"],
)
def test_an_address_of_another_suit_counts_within_one_year(
    world: Any, as_of: date | None, rank: int | None, warnings: list[AddressWarning]
) -> None:
    """One year counts back from the day of the query, first day included; without a date it is a lead."""
    case = CaseFile(addresses=(world.known(AddressKind.OTHER_LAWSUIT, FLAT, as_of=as_of),))

    (address,) = world.merge(world.person, world.police(), case=case).addresses

    assert (address.rank, address.lead, codes(address)) == (rank, rank is None, warnings)


def test_regular_use_is_rank_four_within_the_year_that_the_court_sets(world: Any) -> None:
    """The period is a setting."""
    case = CaseFile(addresses=(world.known(AddressKind.REGULAR_USE, FLAT, as_of=date(2025, 1, 1)),))

    assert rungs(world.merge(world.person, case=case)) == [(None, AddressKind.REGULAR_USE, FLAT)]
    assert rungs(world.merge(world.person, case=case, rules=RankingRules(years=2))) == [
        (4, AddressKind.REGULAR_USE, FLAT)
    ]


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (date(2026, 11, 23), date(2025, 11, 23)),
        (date(2025, 2, 28), date(2024, 2, 28)),
        (date(2025, 3, 1), date(2024, 3, 1)),
        (date(2028, 2, 29), date(2027, 2, 28)),
    ],
)
def test_the_year_is_a_calendar_year_and_29_february_goes_back_to_the_28th(today: date, since: date) -> None:
    """An address of 29 February 2024 counts until 28 February 2025."""
    assert first_day(today, 1) == since


def test_the_day_of_the_query_is_the_day_in_china(world: Any) -> None:
    """At 17:00 UTC it is tomorrow in China, and the year has moved on."""
    case = CaseFile(addresses=(world.known(AddressKind.OTHER_LAWSUIT, FLAT, as_of=date(2025, 11, 23)),))

    early = world.merge(world.person, case=case, now=world.now.replace(hour=15, minute=59))
    late = world.merge(world.person, case=case, now=world.now.replace(hour=16, minute=0))

    assert [(one.rank) for result in (early, late) for one in result.addresses] == [3, None]


def test_every_kind_of_address_is_a_rung_or_a_lead() -> None:
    """No kind is without a place, and none has two."""
    assert set(ADDRESS_RANKS) | set(LEADS) == set(AddressKind)
    assert set(ADDRESS_RANKS) & set(LEADS) == set()


def test_an_address_carries_everything_that_makes_it_usable(world: Any) -> None:
    """One candidate, whole."""
    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, HOME, region_code="330802", postcode="324000", as_of=date(2009, 5, 1)),
        ),
    )

    def stated(value: str, path: str) -> Sourced[str]:
        return Sourced(
            value=value, sources=(world.source(result, "public_security", "addresses", path, date(2009, 5, 1)),)
        )

    assert result.addresses == (
        ServiceAddress(
            rank=5,
            kind=AddressKind.HOUSEHOLD,
            text=stated(HOME, "text"),
            legal_basis=(LegalBasis.REGISTERED_ADDRESS, LegalBasis.MAIL_REGISTERED),
            region_code=stated("330802", "region_code"),
            postcode=stated("324000", "postcode"),
        ),
    )


@pytest.mark.parametrize("state", RefusalState)
def test_ranks_one_to_four_say_whether_refusal_or_evasion_is_recorded(world: Any, state: RefusalState) -> None:
    """The precondition of art. 8 is shown with its state; ranks 0 and 5 have none."""
    kinds = (
        AddressKind.CONFIRMED,
        AddressKind.AGREED,
        AddressKind.OWN_FILING,
        AddressKind.OTHER_LAWSUIT,
        AddressKind.REGULAR_USE,
        AddressKind.HOUSEHOLD,
    )
    case = CaseFile(
        refusal=state,
        addresses=tuple(world.known(kind, kind.zh, as_of=world.today) for kind in kinds),
    )

    result = world.merge(world.person, case=case)

    needed = Precondition(code=PreconditionCode.REFUSAL_OR_EVASION, state=state)
    assert [(one.rank, one.precondition) for one in result.addresses] == [
        (0, None),
        (1, needed),
        (2, needed),
        (3, needed),
        (4, needed),
        (5, None),
    ]


def test_each_rank_prints_its_own_article(world: Any) -> None:
    """The article that makes an address usable is printed beside it."""
    case = CaseFile(addresses=tuple(world.known(kind, kind.zh, as_of=world.today) for kind in list(AddressKind)[:8]))

    result = world.merge(world.person, case=case)

    assert [[basis.value for basis in one.legal_basis] for one in result.addresses] == [
        ["service_opinion_1_2", "procedure_interpretation_137", "court_mail_11"],
        ["service_opinion_8_1"],
        ["service_opinion_8_2", "court_mail_11"],
        ["service_opinion_8_3"],
        ["service_opinion_8_4"],
        ["service_opinion_9", "court_mail_5"],
        ["service_opinion_9", "court_mail_5"],
        [],
    ]


def test_an_earlier_delivery_orders_inside_the_rank_and_never_across(world: Any) -> None:
    """Success before none before failure; the last outcome counts, and of one day the failure."""
    case = CaseFile(
        addresses=(world.known(AddressKind.CONFIRMED, "确认书地址"),),
        deliveries=(
            Delivery(text=" 确认书地址", on=date(2026, 10, 1), outcome=DeliveryOutcome.FAILED, evidence="R-1"),
            Delivery(text=HOME, on=date(2026, 10, 9), outcome=DeliveryOutcome.SUCCEEDED, evidence="R-3"),
            Delivery(text=HOME, on=date(2026, 10, 2), outcome=DeliveryOutcome.FAILED, evidence="R-2"),
            Delivery(text=OFFICE, on=date(2026, 10, 9), outcome=DeliveryOutcome.FAILED, evidence="R-5"),
            Delivery(text=OFFICE, on=date(2026, 10, 9), outcome=DeliveryOutcome.SUCCEEDED, evidence="R-4"),
        ),
    )

    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            world.address(AddressKind.RESIDENCE, FLAT, as_of=date(2024, 3, 1)),
            world.address(AddressKind.RESIDENCE, OFFICE, as_of=date(2025, 3, 1)),
        ),
        case=case,
    )

    assert rungs(result) == [
        (0, AddressKind.CONFIRMED, "确认书地址"),
        (5, AddressKind.HOUSEHOLD, HOME),
        (5, AddressKind.RESIDENCE, FLAT),
        (5, AddressKind.RESIDENCE, OFFICE),
    ]
    assert [codes(address) for address in result.addresses] == [
        [AddressWarning.DELIVERY_FAILED],
        [],
        [],
        [AddressWarning.DELIVERY_FAILED],
    ]
    assert [one.evidence for one in result.addresses[1].deliveries] == ["R-2", "R-3"]


@pytest.mark.parametrize(
    ("until", "expected", "warnings"),
    [
        (
            date(2026, 11, 23),
            [(5, AddressKind.LEGAL_DOCUMENTS, OTHER_OFFICE), (5, AddressKind.DOMICILE, OFFICE)],
            [[], []],
        ),
        (
            date(2026, 11, 22),
            [(5, AddressKind.DOMICILE, OFFICE), (None, AddressKind.LEGAL_DOCUMENTS, OTHER_OFFICE)],
            [[], [AddressWarning.SUSPENSION_OVER]],
        ),
        (
            None,
            [(5, AddressKind.DOMICILE, OFFICE), (None, AddressKind.LEGAL_DOCUMENTS, OTHER_OFFICE)],
            [[], [AddressWarning.SUSPENSION_END_MISSING]],
        ),
    ],
    ids=["on its last day", "the day after", "no end stated"],
)
def test_the_legal_document_address_stands_above_the_domicile_while_the_suspension_lasts(
    world: Any, until: date | None, expected: Any, warnings: Any
) -> None:
    """市场主体登记管理条例 30: it stands in for the domicile, and falls off the ladder with the suspension."""
    result = world.merge(
        world.organization,
        world.registry(
            world.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 6, 1)),
            world.address(AddressKind.LEGAL_DOCUMENTS, OTHER_OFFICE, as_of=date(2024, 1, 1), valid_until=until),
        ),
    )

    assert rungs(result) == expected
    assert [codes(address) for address in result.addresses] == warnings
    shown = next(one for one in result.addresses if one.kind is AddressKind.LEGAL_DOCUMENTS)
    assert (shown.valid_until and shown.valid_until.value) == until


def test_the_recipient_of_a_foreign_invested_company_stands_beside_its_address(world: Any) -> None:
    """市场主体登记管理条例 9(7): rank 5, with the recipient's name and role."""
    result = world.merge(
        world.organization,
        world.registry(
            world.address(
                AddressKind.SERVICE_RECIPIENT, OTHER_OFFICE, recipient="示例律师", recipient_role="法律文件送达接受人"
            ),
        ),
    )

    (address,) = result.addresses
    assert address.recipient is not None
    assert address.recipient_role is not None
    assert (address.rank, address.recipient.value, address.recipient_role.value) == (
        5,
        "示例律师",
        "法律文件送达接受人",
    )
    assert address.legal_basis == (LegalBasis.REGISTERED_ADDRESS, LegalBasis.SERVICE_RECIPIENT_FILED)


def test_two_domiciles_are_a_conflict_and_both_are_shown(world: Any) -> None:
    """Only one 住所 per market entity: each names the other as an alternative, and the list says so."""
    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 1, 1))),
        world.registry(
            world.address(AddressKind.DOMICILE, OTHER_OFFICE, as_of=date(2019, 1, 1)), agency="civil_affairs"
        ),
    )

    here = world.source(result, "market_regulation", "registration", "text", date(2026, 1, 1))
    there = world.source(result, "civil_affairs", "registration", "text", date(2019, 1, 1))
    assert [address.text for address in result.addresses] == [
        Sourced(value=OFFICE, sources=(here,), alternatives=(Alternative(value=OTHER_OFFICE, sources=(there,)),)),
        Sourced(value=OTHER_OFFICE, sources=(there,), alternatives=(Alternative(value=OFFICE, sources=(here,)),)),
    ]
    assert result.ladder.notes == (coded_text(LadderNote.SOURCES_DISAGREE),)


def test_one_address_at_two_agencies_is_one_entry_with_two_sources(world: Any) -> None:
    """Equal but for blanks and character width; what they tell differently beside it stays visible."""
    wide = "浙江省衢州市衢江区 示例大道３号"
    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE, telephone="0570-0000001", as_of=date(2026, 1, 1))),
        world.registry(
            world.address(AddressKind.DOMICILE, wide, telephone="0570-0000002", as_of=date(2019, 1, 1)),
            agency="civil_affairs",
        ),
    )

    (address,) = result.addresses
    first = world.source(result, "market_regulation", "registration", "text", date(2026, 1, 1))
    second = world.source(result, "civil_affairs", "registration", "text", date(2019, 1, 1))
    assert address.text == Sourced(value=OFFICE, sources=(first, second))
    assert address.telephone == Sourced(
        value="0570-0000001",
        sources=(replace(first, path="TELEPHONE"),),
        alternatives=(Alternative(value="0570-0000002", sources=(replace(second, path="TELEPHONE"),)),),
    )
    references = [result.answers[source.answer].reference for source in address.text.sources]
    assert references == ["market_regulation-1", "civil_affairs-1"]


def test_an_address_under_secrecy_says_so_and_under_which_provision(world: Any) -> None:
    """法院专递规定 4: the flag travels with the address."""
    secret = replace(world.known(AddressKind.CONFIRMED, FLAT), confidential=True)

    (address,) = world.merge(world.person, case=CaseFile(addresses=(secret,))).addresses

    assert address.confidential
    assert address.legal_basis[-1] == LegalBasis.MAIL_CONFIDENTIAL


def test_an_undated_registered_address_stands_below_a_dated_one(world: Any) -> None:
    """Nobody knows since when it holds; a date in the future is no better."""
    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, HOME),
            world.address(AddressKind.RESIDENCE, OFFICE, as_of=date(2030, 1, 1)),
            world.address(AddressKind.RESIDENCE, FLAT, as_of=date(1999, 1, 1)),
        ),
    )

    assert rungs(result) == [
        (5, AddressKind.RESIDENCE, FLAT),
        (5, AddressKind.HOUSEHOLD, HOME),
        (5, AddressKind.RESIDENCE, OFFICE),
    ]
    assert codes(result.addresses[2]) == [AddressWarning.DATE_IN_FUTURE]


def test_two_residences_are_no_conflict(world: Any) -> None:
    """Only of domicile and household does the law know one at a time."""
    result = world.merge(
        world.person,
        world.police(world.address(AddressKind.RESIDENCE, HOME), world.address(AddressKind.RESIDENCE, FLAT)),
    )

    assert [address.text.alternatives for address in result.addresses] == [(), ()]
    assert result.ladder.notes == ()
