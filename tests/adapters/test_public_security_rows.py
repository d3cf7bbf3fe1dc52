"""
What the police's rows become.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from adapters.contract import Rows
from adapters.errors import AnswerUnreadable
from adapters.interpretation import interpret
from adapters.public_security.mapping import ADDRESSES, IDENTITY
from schemas.codes import AddressKind, AnswerState, LifeStatus, Reason, Sex
from schemas.records import AddressRecord, PersonIdentity
from schemas.subject import Subject

POPULATION = {
    "GMSFHM": "330802199003071239",
    "GMSFHM_PPDDM": "1",
    "XM": "柯明远",
    "XM_PPDDM": "1",
    "XBDM": "1",
    "MZDM": "01",
    "CSRQ": "19900307",
    "CSD_GJHDQDM": "156",
    "CSD_SSXQDM": "330802",
    "SWBS": "0",
}

HOUSEHOLD = {
    "GMSFHM": "330802199003071239",
    "XM": "柯明远",
    "CYM": "柯小明",
    "XB": "1",
    "CSRQ": "19900307",
    "SWBS": "0",
    "BYQK": "0",
    "ZZXZ": "衢州市柯城区示例路1号",
    "ZZSSXQ": "330802",
    "ZZQSRQ": "20090601",
    "QTZZXZ": "衢州市衢江区样本街2号301室",
    "QTZZSSXQ": "330803",
    "QTZZQSRQ": "20240315",
    "QTZZLX": "1",
    "HKSZD": "330802",
    "FWCS": "衢州示例机械厂",
}

BLANK = dict.fromkeys(HOUSEHOLD, "") | {"GMSFHM": "330802199003071239", "XM": "柯明远"}


def test_the_population_base_says_who_a_person_is(rows: Callable[..., Rows], person: Subject) -> None:
    """Name, sex, birth date and life status are read; ethnicity and birth place are dropped without noise."""
    reading = interpret(rows(POPULATION), IDENTITY, person)

    assert reading.state is AnswerState.FOUND
    assert [holding.record for holding in reading.records] == [
        PersonIdentity(
            id_number="330802199003071239",
            full_name="柯明远",
            sex=Sex.MALE,
            born_on=date(1990, 3, 7),
            life_status=LifeStatus.ALIVE,
        )
    ]
    assert {name: origin.path for name, origin in reading.records[0].origins.items()} == {
        "id_number": "GMSFHM",
        "full_name": "XM",
        "sex": "XBDM",
        "born_on": "CSRQ",
        "life_status": "SWBS",
    }
    assert (reading.drift, reading.reference) == ((), "r-1")


def test_a_degree_of_match_that_is_not_one_is_a_name_mismatch(rows: Callable[..., Rows], person: Subject) -> None:
    """Only 1 is agreed; every other degree is no match, and no name was compared if none was asked."""
    doubtful = rows(POPULATION | {"XM_PPDDM": "2"})

    denied = interpret(doubtful, IDENTITY, person)
    assert (denied.state, denied.reason, denied.records) == (AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH, ())
    assert interpret(doubtful, IDENTITY, replace(person, name=None)).state is AnswerState.FOUND


def test_the_household_record_yields_both_addresses_and_the_work_place(
    rows: Callable[..., Rows], person: Subject
) -> None:
    """Household domicile and registered residence carry region and date; the work-place is a lead."""
    reading = interpret(rows(HOUSEHOLD), ADDRESSES, person)

    assert [holding.record for holding in reading.records] == [
        PersonIdentity(
            id_number="330802199003071239",
            full_name="柯明远",
            former_name="柯小明",
            sex=Sex.MALE,
            born_on=date(1990, 3, 7),
            life_status=LifeStatus.ALIVE,
            serving_soldier=False,
        ),
        AddressRecord(
            kind=AddressKind.HOUSEHOLD,
            text="衢州市柯城区示例路1号",
            region_code="330802",
            as_of=date(2009, 6, 1),
        ),
        AddressRecord(
            kind=AddressKind.RESIDENCE,
            text="衢州市衢江区样本街2号301室",
            region_code="330803",
            as_of=date(2024, 3, 15),
        ),
        AddressRecord(kind=AddressKind.EMPLOYER, text="衢州示例机械厂"),
    ]
    assert reading.drift == ()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1", AddressKind.RESIDENCE),
        ("9", AddressKind.OTHER_RESIDENCE),
        ("", AddressKind.OTHER_RESIDENCE),
    ],
)
def test_the_other_address_is_a_residence_only_if_registered_as_one(
    rows: Callable[..., Rows], person: Subject, code: str, kind: AddressKind
) -> None:
    """Anything but a registered habitual residence stays an unranked address."""
    row = BLANK | {"QTZZXZ": "衢州市龙游县样本路3号", "QTZZLX": code}

    reading = interpret(rows(row), ADDRESSES, person)

    assert [holding.record for holding in reading.records[1:]] == [
        AddressRecord(kind=kind, text="衢州市龙游县样本路3号")
    ]


@pytest.mark.parametrize("leaf", ["SWBS", "BYQK", "QTZZLX", "XB"])
def test_an_unlisted_police_code_is_no_guess(rows: Callable[..., Rows], person: Subject, leaf: str) -> None:
    """The answer is unreadable and names the leaf, not the code."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows(HOUSEHOLD | {leaf: "77"}), ADDRESSES, person)

    assert (caught.value.reason, caught.value.at) == (Reason.UNKNOWN_CODE, leaf)
    assert "77" not in str(caught.value)


def test_a_person_is_known_by_an_earlier_name_too(rows: Callable[..., Rows], person: Subject) -> None:
    """A file under the old name still finds the person; a third name does not."""
    assert interpret(rows(HOUSEHOLD), ADDRESSES, replace(person, name="柯小明")).state is AnswerState.FOUND
    assert interpret(rows(HOUSEHOLD), ADDRESSES, replace(person, name="柯大明")).reason is Reason.NAME_MISMATCH


def test_a_requested_column_that_is_left_out_is_not_read_as_blank(rows: Callable[..., Rows], person: Subject) -> None:
    """Blank means that the police hold no such address; a missing column means that nobody knows."""
    assert len(interpret(rows(BLANK), ADDRESSES, person).records) == 1
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows({leaf: held for leaf, held in BLANK.items() if leaf != "ZZXZ"}), ADDRESSES, person)

    assert (caught.value.reason, caught.value.at) == (Reason.MISSING_LEAF, "ZZXZ")
