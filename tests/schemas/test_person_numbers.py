"""
Numbers of people, as a specification: what is accepted, with which doubt, and what is refused by which rule.

All numbers are made up: they satisfy the arithmetic and belong to no person.
"""

from datetime import UTC, date, datetime

import pytest

from schemas.china_time import day_in_china
from schemas.codes import IdType, Sex
from schemas.identifiers import (
    Identifier,
    IdentifierError,
    IdentifierRule,
    IdentifierWarning,
    born_on,
    is_under_14,
    parse,
    sex_of,
)

RESIDENT, PERMIT, PERMANENT = IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT, IdType.PERMANENT_RESIDENCE
MALE, FEMALE = Sex.MALE, Sex.FEMALE

NO_CHECK_DIGIT = IdentifierWarning.NO_CHECK_DIGIT
UNKNOWN = IdentifierWarning.REGION_UNKNOWN
NOT_IN_FORCE = IdentifierWarning.REGION_NOT_IN_FORCE
CENTENARIAN = IdentifierWarning.CENTENARIAN_SEQUENCE
NATIONALITY = IdentifierWarning.NATIONALITY_UNKNOWN
DOUBTFUL = IdentifierWarning.BIRTH_DATE_DOUBTFUL


@pytest.mark.parametrize(
    ("value", "sex", "born", "warnings"),
    [
        ("330802199003071239", MALE, date(1990, 3, 7), ()),
        ("33080219900307005X", MALE, date(1990, 3, 7), ()),
        ("330803199003071235", MALE, date(1990, 3, 7), (NOT_IN_FORCE,)),
        ("330821196508150026", FEMALE, date(1965, 8, 15), ()),
        ("330823196002290016", MALE, date(1960, 2, 29), ()),
        ("332428196001010010", MALE, date(1960, 1, 1), ()),
        ("330113199001010011", MALE, date(1990, 1, 1), (NOT_IN_FORCE,)),
        ("330114199001010018", MALE, date(1990, 1, 1), (NOT_IN_FORCE,)),
        ("33080219900307996X", FEMALE, date(1990, 3, 7), (CENTENARIAN,)),
        ("110105189912319976", MALE, date(1899, 12, 31), (CENTENARIAN,)),
        ("330802202001010015", MALE, date(2020, 1, 1), ()),
        ("000000199003070014", MALE, date(1990, 3, 7), (UNKNOWN,)),
    ],
)
def test_a_resident_number_is_accepted_with_its_doubts(
    value: str, sex: Sex, born: date, warnings: tuple[IdentifierWarning, ...], today: date
) -> None:
    """Arithmetic and date decide; region, age and sequence only raise doubts."""
    identifier = parse(RESIDENT, value, today=today)

    assert identifier == Identifier(id_type=RESIDENT, value=value, as_written=value, warnings=warnings)
    assert (sex_of(identifier), born_on(identifier), identifier.canonical_value) == (sex, born, value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("33080219900307005x", "33080219900307005X"),
        ("３３０８０２１９９００３０７００５Ｘ", "33080219900307005X"),
        ("３３０８０２１９９００３０７００５ｘ", "33080219900307005X"),
        (" 330802 19900307\u00a01239 ", "330802199003071239"),
        ("330802-19900307-1239", "330802199003071239"),
        ("\ufeff3308\u200c02\u200b1990\u200d0307\u2060\u20111239\r\n", "330802199003071239"),
    ],
)
def test_width_case_spaces_and_hyphens_are_repaired_and_the_text_is_kept(written: str, value: str, today: date) -> None:
    """The normalized value is compared and asked; what the caller wrote stays beside it."""
    identifier = parse(RESIDENT, written, today=today)

    assert (identifier.value, identifier.as_written, identifier.warnings) == (value, written, ())


def test_a_number_of_15_digits_is_weak_and_is_asked_by_its_upgrade(today: date) -> None:
    """It is kept as it stands on the old card, and agencies are asked by the 18-digit form."""
    identifier = parse(RESIDENT, "330802900307123", today=today)

    assert identifier == Identifier(
        id_type=RESIDENT,
        value="330802900307123",
        as_written="330802900307123",
        warnings=(NO_CHECK_DIGIT,),
        equivalents=("330802199003071239",),
    )
    assert identifier.canonical_value == "330802199003071239"
    assert (sex_of(identifier), born_on(identifier)) == (MALE, date(1990, 3, 7))


@pytest.mark.parametrize(
    ("value", "warnings"),
    [
        ("000000900307001", (NO_CHECK_DIGIT, UNKNOWN)),
        ("330803900307123", (NO_CHECK_DIGIT, NOT_IN_FORCE)),
        ("330802900307996", (NO_CHECK_DIGIT, CENTENARIAN)),
    ],
)
def test_a_number_of_15_digits_has_the_doubts_of_its_upgrade(
    value: str, warnings: tuple[IdentifierWarning, ...], today: date
) -> None:
    """Region and sequence are looked at in either form."""
    assert parse(RESIDENT, value, today=today).warnings == warnings


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("330802199003071230", IdentifierRule.CHECK_DIGIT),
        ("330802199002290018", IdentifierRule.BIRTH_DATE),
        ("33080219001331001X", IdentifierRule.BIRTH_DATE),
        ("330802900230123", IdentifierRule.BIRTH_DATE),
        ("330802000003071239", IdentifierRule.BIRTH_DATE),
        ("330802209901010012", IdentifierRule.BIRTH_IN_FUTURE),
        ("33080219900307123", IdentifierRule.RESIDENT_ID_FORMAT),
        ("3308021990030712391", IdentifierRule.RESIDENT_ID_FORMAT),
        ("3308021990030712X9", IdentifierRule.RESIDENT_ID_FORMAT),
        ("33080219900307123O", IdentifierRule.RESIDENT_ID_FORMAT),
        ("3308O2199003071239", IdentifierRule.RESIDENT_ID_FORMAT),
        ("33080290030712X", IdentifierRule.RESIDENT_ID_FORMAT),
        ("三三零八零二一九九零零三零七一二三九", IdentifierRule.RESIDENT_ID_FORMAT),
        ("٣٣٠٨٠٢١٩٩٠٠٣٠٧١٢٣٩", IdentifierRule.RESIDENT_ID_FORMAT),
        ("330802.199003071239", IdentifierRule.RESIDENT_ID_FORMAT),
        ("", IdentifierRule.RESIDENT_ID_FORMAT),
        (" \u3000-", IdentifierRule.RESIDENT_ID_FORMAT),
    ],
)
def test_a_resident_number_is_refused_by_the_rule_that_it_breaks(text: str, rule: IdentifierRule, today: date) -> None:
    """Format, real date and check digit are hard; O is not taken for 0, and only our own digits are digits."""
    with pytest.raises(IdentifierError) as refusal:
        parse(RESIDENT, text, today=today)

    assert refusal.value.rule is rule


def test_a_person_born_today_is_not_yet_the_future() -> None:
    """A newborn has a number; tomorrow's child has none."""
    value = "330802202001010015"

    assert parse(RESIDENT, value, today=date(2020, 1, 1)).value == value
    with pytest.raises(IdentifierError) as refusal:
        parse(RESIDENT, value, today=date(2019, 12, 31))
    assert refusal.value.rule is IdentifierRule.BIRTH_IN_FUTURE


def test_more_than_130_years_raise_a_doubt() -> None:
    """On the 130th birthday nothing is said, on the 131st it is."""
    value = "110105189912319976"

    assert parse(RESIDENT, value, today=date(2029, 12, 31)).warnings == (CENTENARIAN,)
    assert parse(RESIDENT, value, today=date(2030, 12, 30)).warnings == (CENTENARIAN,)
    assert parse(RESIDENT, value, today=date(2030, 12, 31)).warnings == (
        IdentifierWarning.AGE_OVER_130,
        CENTENARIAN,
    )


@pytest.mark.parametrize(
    "value", ["330802199003071239", "330821196508150026", "110105189912319976", "330802202001010015"]
)
def test_without_a_day_given_today_is_the_day_in_china(value: str) -> None:
    """The clock stands at the door only."""
    assert parse(RESIDENT, value) == parse(RESIDENT, value, today=day_in_china(datetime.now(UTC)))


@pytest.mark.parametrize(
    ("sequence", "warnings"),
    [("995", ()), ("996", (CENTENARIAN,)), ("997", (CENTENARIAN,)), ("999", (CENTENARIAN,)), ("000", ())],
)
def test_the_last_four_sequences_raise_the_centenarian_warning(
    sequence: str, warnings: tuple[IdentifierWarning, ...], today: date
) -> None:
    """996 to 999, and no other."""
    assert parse(RESIDENT, f"330802900307{sequence}", today=today).warnings == (NO_CHECK_DIGIT, *warnings)


def test_a_child_is_under_14_until_the_14th_birthday() -> None:
    """The data of a child are sensitive as a whole; the flag falls on the birthday itself."""
    child = parse(RESIDENT, "330802202001010015", today=date(2026, 11, 23))

    assert is_under_14(child, date(2033, 12, 31)) is True
    assert is_under_14(child, date(2034, 1, 1)) is False


def test_a_child_born_on_29_february_is_under_14_until_1_march() -> None:
    """In doubt the child is protected a day longer."""
    child = parse(RESIDENT, "330802201202290012", today=date(2026, 1, 1))

    assert is_under_14(child, date(2026, 2, 28)) is True
    assert is_under_14(child, date(2026, 3, 1)) is False


@pytest.mark.parametrize("value", ["810000199003071237", "820000199003071239", "830000199003071230"])
def test_a_residence_permit_of_hong_kong_macao_and_taiwan_is_accepted(value: str, today: date) -> None:
    """Its number is built as a resident's, under a prefix of its own."""
    identifier = parse(PERMIT, value, today=today)

    assert identifier == Identifier(id_type=PERMIT, value=value, as_written=value)
    assert (sex_of(identifier), born_on(identifier)) == (MALE, date(1990, 3, 7))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("330802199003071239", IdentifierRule.RESIDENCE_PERMIT_REGION),
        ("840000199003071237", IdentifierRule.RESIDENCE_PERMIT_REGION),
        ("810001199003071237", IdentifierRule.RESIDENCE_PERMIT_REGION),
        ("810000199003071238", IdentifierRule.CHECK_DIGIT),
        ("810000199002301237", IdentifierRule.BIRTH_DATE),
        ("810000209901011237", IdentifierRule.BIRTH_IN_FUTURE),
        ("810000900307123", IdentifierRule.RESIDENCE_PERMIT_FORMAT),
        ("H00000000", IdentifierRule.RESIDENCE_PERMIT_FORMAT),
        ("", IdentifierRule.RESIDENCE_PERMIT_FORMAT),
    ],
)
def test_a_residence_permit_is_refused_by_the_rule_that_it_breaks(text: str, rule: IdentifierRule, today: date) -> None:
    """Three prefixes, a real date in the past, a check digit; it has no 15-digit form."""
    with pytest.raises(IdentifierError) as refusal:
        parse(PERMIT, text, today=today)

    assert refusal.value.rule is rule


@pytest.mark.parametrize(
    ("value", "born", "warnings"),
    [
        ("911840199003071236", date(1990, 3, 7), ()),
        ("911840199003070006", date(1990, 3, 7), ()),
        ("USA330000000001", None, ()),
        ("QQQ330000000001", None, (NATIONALITY,)),
        ("900000000000000004", None, (UNKNOWN, NATIONALITY, DOUBTFUL)),
        ("911840209903071238", date(2099, 3, 7), (DOUBTFUL,)),
    ],
)
def test_a_permanent_residence_number_is_accepted_in_its_new_and_its_old_form(
    value: str, born: date | None, warnings: tuple[IdentifierWarning, ...], today: date
) -> None:
    """Both cards are valid side by side; what stands inside the new number raises doubts and nothing more."""
    identifier = parse(PERMANENT, value, today=today)

    assert identifier == Identifier(id_type=PERMANENT, value=value, as_written=value, warnings=warnings)
    assert (sex_of(identifier), born_on(identifier)) == (None, born)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("911840199003071237", IdentifierRule.CHECK_DIGIT),
        ("811840199003071236", IdentifierRule.PERMANENT_RESIDENCE_FORMAT),
        ("91184019900307123", IdentifierRule.PERMANENT_RESIDENCE_FORMAT),
        ("US1330000000001", IdentifierRule.PERMANENT_RESIDENCE_FORMAT),
        ("USA33000000001", IdentifierRule.PERMANENT_RESIDENCE_FORMAT),
        ("", IdentifierRule.PERMANENT_RESIDENCE_FORMAT),
    ],
)
def test_a_permanent_residence_number_is_refused_by_the_rule_that_it_breaks(
    text: str, rule: IdentifierRule, today: date
) -> None:
    """First digit, length and check digit are hard."""
    with pytest.raises(IdentifierError) as refusal:
        parse(PERMANENT, text, today=today)

    assert refusal.value.rule is rule


def test_a_permanent_resident_born_today_raises_no_doubt() -> None:
    """Only a day still to come is doubtful."""
    value = "911840199003071236"

    assert parse(PERMANENT, value, today=date(1990, 3, 7)).warnings == ()
    assert parse(PERMANENT, value, today=date(1990, 3, 6)).warnings == (DOUBTFUL,)


def test_an_identifier_without_a_birth_date_is_not_a_childs(today: date) -> None:
    """A passport and an old permanent residence number do not tell an age."""
    paper = parse(IdType.PASSPORT, "E00000000", country="CHN", today=today)
    old_card = parse(PERMANENT, "USA330000000001", today=today)

    assert [(born_on(number), sex_of(number), is_under_14(number, today)) for number in (paper, old_card)] == [
        (None, None, False),
        (None, None, False),
    ]
