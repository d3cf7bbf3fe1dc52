"""
Rules of a single address: its period, its contents, and what lowers it or makes it a lead.
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


def ranked(result: LookupResult) -> list[tuple[int | None, AddressKind, str]]:
    """The list of addresses as a reader sees its order."""
    return [(address.rank, address.kind, address.text.value) for address in result.addresses]


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
def test_address_of_another_lawsuit_counts_within_one_year(
    scenario: Any, as_of: date | None, rank: int | None, warnings: list[AddressWarning]
) -> None:
    """The year ends on the day of the query, first day included; without a date the address is a lead."""
    case = CaseFile(addresses=(scenario.case_address(AddressKind.OTHER_LAWSUIT, FLAT, as_of=as_of),))

    (address,) = scenario.merge(scenario.person, scenario.police(), case=case).addresses

    assert (address.rank, address.lead, codes(address)) == (rank, rank is None, warnings)


def test_period_of_regular_use_is_configurable(scenario: Any) -> None:
    """Rank 4 within the configured number of years, else a lead."""
    case = CaseFile(addresses=(scenario.case_address(AddressKind.REGULAR_USE, FLAT, as_of=date(2025, 1, 1)),))

    assert ranked(scenario.merge(scenario.person, case=case)) == [(None, AddressKind.REGULAR_USE, FLAT)]
    assert ranked(scenario.merge(scenario.person, case=case, rules=RankingRules(years=2))) == [
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
def test_period_counts_calendar_years_and_handles_29_february(today: date, since: date) -> None:
    """An address of 29 February 2024 counts until 28 February 2025."""
    assert first_day(today, 1) == since


def test_day_of_the_query_is_the_day_in_china(scenario: Any) -> None:
    """From 16:00 UTC it is the next day in China, and the period starts a day later."""
    case = CaseFile(addresses=(scenario.case_address(AddressKind.OTHER_LAWSUIT, FLAT, as_of=date(2025, 11, 23)),))

    early = scenario.merge(scenario.person, case=case, now=scenario.now.replace(hour=15, minute=59))
    late = scenario.merge(scenario.person, case=case, now=scenario.now.replace(hour=16, minute=0))

    assert [address.rank for result in (early, late) for address in result.addresses] == [3, None]


def test_every_kind_of_address_has_a_rank_or_is_a_lead() -> None:
    """Each kind is in one of the two tables and in one only."""
    assert set(ADDRESS_RANKS) | set(LEADS) == set(AddressKind)
    assert set(ADDRESS_RANKS) & set(LEADS) == set()


def test_address_has_its_sources_rank_and_legal_basis(scenario: Any) -> None:
    """One address, compared as a whole."""
    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(
                AddressKind.HOUSEHOLD, HOME, region_code="330802", postcode="324000", as_of=date(2009, 5, 1)
            ),
        ),
    )

    def stated(value: str, path: str) -> Sourced[str]:
        return Sourced(
            value=value, sources=(scenario.source(result, "public_security", "addresses", path, date(2009, 5, 1)),)
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
def test_ranks_one_to_four_have_the_precondition_of_article_8(scenario: Any, state: RefusalState) -> None:
    """With the recorded state of refusal or evasion; ranks 0 and 5 have none."""
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
        addresses=tuple(scenario.case_address(kind, kind.zh, as_of=scenario.today) for kind in kinds),
    )

    result = scenario.merge(scenario.person, case=case)

    precondition = Precondition(code=PreconditionCode.REFUSAL_OR_EVASION, state=state)
    assert [(address.rank, address.precondition) for address in result.addresses] == [
        (0, None),
        (1, precondition),
        (2, precondition),
        (3, precondition),
        (4, precondition),
        (5, None),
    ]


def test_each_rank_has_its_own_legal_basis(scenario: Any) -> None:
    """The provision that makes the address usable."""
    case = CaseFile(
        addresses=tuple(scenario.case_address(kind, kind.zh, as_of=scenario.today) for kind in list(AddressKind)[:8])
    )

    result = scenario.merge(scenario.person, case=case)

    assert [[basis.value for basis in address.legal_basis] for address in result.addresses] == [
        ["service_opinion_1_2", "procedure_interpretation_137", "court_mail_11"],
        ["service_opinion_8_1"],
        ["service_opinion_8_2", "court_mail_11"],
        ["service_opinion_8_3"],
        ["service_opinion_8_4"],
        ["service_opinion_9", "court_mail_5"],
        ["service_opinion_9", "court_mail_5"],
        [],
    ]


def test_earlier_deliveries_order_addresses_within_a_rank(scenario: Any) -> None:
    """Success, then none, then failure; the last outcome counts, and of one day the failure."""
    case = CaseFile(
        addresses=(scenario.case_address(AddressKind.CONFIRMED, "确认书地址"),),
        deliveries=(
            Delivery(text=" 确认书地址", on=date(2026, 10, 1), outcome=DeliveryOutcome.FAILED, evidence="R-1"),
            Delivery(text=HOME, on=date(2026, 10, 9), outcome=DeliveryOutcome.SUCCEEDED, evidence="R-3"),
            Delivery(text=HOME, on=date(2026, 10, 2), outcome=DeliveryOutcome.FAILED, evidence="R-2"),
            Delivery(text=OFFICE, on=date(2026, 10, 9), outcome=DeliveryOutcome.FAILED, evidence="R-5"),
            Delivery(text=OFFICE, on=date(2026, 10, 9), outcome=DeliveryOutcome.SUCCEEDED, evidence="R-4"),
        ),
    )

    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            scenario.address(AddressKind.RESIDENCE, FLAT, as_of=date(2024, 3, 1)),
            scenario.address(AddressKind.RESIDENCE, OFFICE, as_of=date(2025, 3, 1)),
        ),
        case=case,
    )

    assert ranked(result) == [
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
    assert [delivery.evidence for delivery in result.addresses[1].deliveries] == ["R-2", "R-3"]


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
def test_legal_document_address_precedes_the_domicile_during_a_suspension(
    scenario: Any, until: date | None, expected: Any, warnings: Any
) -> None:
    """市场主体登记管理条例 30: it replaces the domicile until the suspension ends, and is a lead afterwards."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 6, 1)),
            scenario.address(AddressKind.LEGAL_DOCUMENTS, OTHER_OFFICE, as_of=date(2024, 1, 1), valid_until=until),
        ),
    )

    assert ranked(result) == expected
    assert [codes(address) for address in result.addresses] == warnings
    suspension = next(address for address in result.addresses if address.kind is AddressKind.LEGAL_DOCUMENTS)
    assert (suspension.valid_until and suspension.valid_until.value) == until


def test_recipient_of_a_foreign_invested_company_is_part_of_its_address(scenario: Any) -> None:
    """市场主体登记管理条例 9(7): rank 5, with the recipient's name and role."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(
            scenario.address(
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


def test_two_domiciles_are_alternatives_of_each_other(scenario: Any) -> None:
    """A market entity has one 住所: each lists the other as an alternative, and a note reports the conflict."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE, as_of=date(2026, 1, 1))),
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, OTHER_OFFICE, as_of=date(2019, 1, 1)), agency="civil_affairs"
        ),
    )

    here = scenario.source(result, "market_regulation", "registration", "text", date(2026, 1, 1))
    there = scenario.source(result, "civil_affairs", "registration", "text", date(2019, 1, 1))
    assert [address.text for address in result.addresses] == [
        Sourced(value=OFFICE, sources=(here,), alternatives=(Alternative(value=OTHER_OFFICE, sources=(there,)),)),
        Sourced(value=OTHER_OFFICE, sources=(there,), alternatives=(Alternative(value=OFFICE, sources=(here,)),)),
    ]
    assert result.ladder.notes == (coded_text(LadderNote.SOURCES_DISAGREE),)


def test_same_address_of_two_agencies_is_one_entry_with_two_sources(scenario: Any) -> None:
    """Equal up to blanks and character width; fields that differ have alternatives."""
    wide = "浙江省衢州市衢江区 示例大道３号"
    result = scenario.merge(
        scenario.organization,
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, OFFICE, telephone="0570-0000001", as_of=date(2026, 1, 1))
        ),
        scenario.registry(
            scenario.address(AddressKind.DOMICILE, wide, telephone="0570-0000002", as_of=date(2019, 1, 1)),
            agency="civil_affairs",
        ),
    )

    (address,) = result.addresses
    first = scenario.source(result, "market_regulation", "registration", "text", date(2026, 1, 1))
    second = scenario.source(result, "civil_affairs", "registration", "text", date(2019, 1, 1))
    assert address.text == Sourced(value=OFFICE, sources=(first, second))
    assert address.telephone == Sourced(
        value="0570-0000001",
        sources=(replace(first, path="TELEPHONE"),),
        alternatives=(Alternative(value="0570-0000002", sources=(replace(second, path="TELEPHONE"),)),),
    )
    references = [result.answers[source.answer].reference for source in address.text.sources]
    assert references == ["market_regulation-1", "civil_affairs-1"]


def test_confidential_address_has_its_flag_and_provision(scenario: Any) -> None:
    """法院专递规定 4: the flag is part of the address."""
    secret = replace(scenario.case_address(AddressKind.CONFIRMED, FLAT), confidential=True)

    (address,) = scenario.merge(scenario.person, case=CaseFile(addresses=(secret,))).addresses

    assert address.confidential
    assert address.legal_basis[-1] == LegalBasis.MAIL_CONFIDENTIAL


def test_undated_registered_address_follows_a_dated_one(scenario: Any) -> None:
    """A date in the future counts as no date."""
    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(AddressKind.HOUSEHOLD, HOME),
            scenario.address(AddressKind.RESIDENCE, OFFICE, as_of=date(2030, 1, 1)),
            scenario.address(AddressKind.RESIDENCE, FLAT, as_of=date(1999, 1, 1)),
        ),
    )

    assert ranked(result) == [
        (5, AddressKind.RESIDENCE, FLAT),
        (5, AddressKind.HOUSEHOLD, HOME),
        (5, AddressKind.RESIDENCE, OFFICE),
    ]
    assert codes(result.addresses[2]) == [AddressWarning.DATE_IN_FUTURE]


def test_two_residences_are_no_conflict(scenario: Any) -> None:
    """Only domicile and household are unique at a time."""
    result = scenario.merge(
        scenario.person,
        scenario.police(scenario.address(AddressKind.RESIDENCE, HOME), scenario.address(AddressKind.RESIDENCE, FLAT)),
    )

    assert [address.text.alternatives for address in result.addresses] == [(), ()]
    assert result.ladder.notes == ()
