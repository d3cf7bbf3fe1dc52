"""
What holds for every identifier, searched by Hypothesis, with an oracle that shares no line with our arithmetic.
"""

import string
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import IdType
from schemas.identifiers import (
    Identifier,
    IdentifierError,
    born_on,
    is_under_14,
    masked,
    parse,
    parse_case_number,
    registering_authority,
    same_identifier,
    sex_of,
)
from schemas.identifiers.check_digits import organization_check, registration_check, resident_check, uscc_check
from schemas.identifiers.normalize import normalized, normalized_case_number

T = TypeVar("T")

TODAY = date(2026, 11, 23)
LETTERS_31 = "".join(c for c in string.digits + string.ascii_uppercase if c not in "IOSVZ")
LETTERS_36 = string.digits + string.ascii_uppercase


# The oracle: each standard says which sum a whole valid number has; the check character is the one that reaches it.


def _mod_11_2_holds(number: str) -> bool:
    total = 0
    for character in number:
        total = (total * 2 + "0123456789X".index(character)) % 11
    return total == 1


def _mod_31_holds(number: str) -> bool:
    weight, total = 1, 0
    for character in number[:17]:
        total += weight * LETTERS_31.index(character)
        weight = weight * 3 % 31
    return (total + LETTERS_31.index(number[17])) % 31 == 0


def _gb_11714_holds(number: str) -> bool:
    check = 10 if number[8] == "X" else int(number[8])
    values = [int(character, 36) for character in number[:8]]
    return (sum(v * w for v, w in zip(values, [3, 7, 9, 10, 5, 8, 4, 2], strict=True)) + check) % 11 == 0


def _mod_11_10_holds(number: str) -> bool:
    product = 10
    for digit in number[:-1]:
        product = 2 * ((product + int(digit) - 1) % 10 + 1) % 11
    return (product + int(number[-1])) % 10 == 1


def _completed(body: str, alphabet: str, holds: Callable[[str], bool]) -> str:
    (number,) = [body + character for character in alphabet if holds(body + character)]
    return number


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=length, max_size=length)


def _person(region: str, born: date, sequence: str) -> str:
    return _completed(f"{region}{born:%Y%m%d}{sequence}", "0123456789X", _mod_11_2_holds)


days = st.dates(date(1850, 1, 1), TODAY)
residents = st.builds(_person, digits(6), days, digits(3))
permits = st.builds(_person, st.sampled_from(["810000", "820000", "830000"]), days, digits(3))
permanents = digits(16).map(lambda d: _completed("9" + d, "0123456789X", _mod_11_2_holds))
usccs = st.builds(
    lambda kind, region, code: _completed(kind + region + code, LETTERS_31, _mod_31_holds),
    st.text(LETTERS_31, min_size=2, max_size=2),
    digits(6),
    st.text(LETTERS_31, min_size=9, max_size=9),
)
codes = st.text(LETTERS_36, min_size=8, max_size=8).map(lambda b: _completed(b, "0123456789X", _gb_11714_holds))
registrations = digits(14).map(lambda d: _completed(d, string.digits, _mod_11_10_holds))
papers = st.text(LETTERS_36, min_size=5, max_size=20)

VALID = {
    IdType.RESIDENT_ID: residents,
    IdType.RESIDENCE_PERMIT: permits,
    IdType.PERMANENT_RESIDENCE: permanents,
    IdType.PASSPORT: papers,
    IdType.USCC: usccs,
    IdType.ORGANIZATION_CODE: codes,
    IdType.REGISTRATION_NUMBER: registrations,
}

valid = st.sampled_from(IdType).flatmap(lambda kind: st.tuples(st.just(kind), VALID[kind]))
numbered = st.sampled_from([kind for kind in IdType if kind is not IdType.PASSPORT]).flatmap(
    lambda kind: st.tuples(st.just(kind), VALID[kind])
)
fifteens = st.builds(
    lambda region, born, sequence: f"{region}{born:%y%m%d}{sequence}",
    digits(6),
    st.dates(date(1900, 1, 1), date(1999, 12, 31)),
    digits(3),
)

clutter = st.text(" -\t\n\u00a0\u2011\u200b\u3000\ufeff－", max_size=3)
wide = {ord(c): chr(ord(c) + 0xFEE0) for c in string.digits + string.ascii_letters}
near_text = st.text(string.digits + "XxAZ９ＸH- \u3000（）()浙民初最高法知字第号之一", max_size=30)
any_text = st.one_of(st.text(), near_text, st.characters().map(lambda c: c * 18))


def _accepted(kind: IdType, text: str) -> Identifier:
    return parse(kind, text, country="CHN", today=TODAY)


def _outcome(read: Callable[[], T]) -> T | IdentifierError:
    try:
        return read()
    except IdentifierError as error:
        return error


def _is_refused(kind: IdType, text: str) -> bool:
    return isinstance(_outcome(lambda: _accepted(kind, text)), IdentifierError)


@given(valid)
def test_every_number_that_satisfies_the_standard_is_accepted(drawn: tuple[IdType, str]) -> None:
    """No check refuses a number that a person can hold, whatever its region."""
    kind, number = drawn

    assert _accepted(kind, number).value == number


@given(digits(17), st.text(LETTERS_31, min_size=17, max_size=17), st.text(LETTERS_36, min_size=8, max_size=8))
def test_every_check_character_is_that_of_the_oracle(number: str, uscc: str, code: str) -> None:
    """Two ways to write each standard agree."""
    assert number + resident_check(number) == _completed(number, "0123456789X", _mod_11_2_holds)
    assert uscc + uscc_check(uscc) == _completed(uscc, LETTERS_31, _mod_31_holds)
    assert code + organization_check(code) == _completed(code, "0123456789X", _gb_11714_holds)
    assert number[:14] + registration_check(number[:14]) == _completed(number[:14], string.digits, _mod_11_10_holds)


# An organization code may be all letters; then there is no digit to slip on.
with_a_digit = numbered.filter(lambda drawn: any(character.isdigit() for character in drawn[1]))


@given(with_a_digit, st.data())
def test_a_changed_digit_of_a_resident_number_is_refused(drawn: tuple[IdType, str], data: st.DataObject) -> None:
    """A slip of one digit never asks an agency about another person."""
    kind, number = drawn
    at = data.draw(st.sampled_from([i for i, character in enumerate(number) if character.isdigit()]))
    other = data.draw(st.sampled_from([digit for digit in string.digits if digit != number[at]]))

    assert _is_refused(kind, number[:at] + other + number[at + 1 :])


@given(usccs, st.integers(0, 17), st.sampled_from(LETTERS_31))
def test_a_changed_character_of_a_credit_code_is_refused(number: str, at: int, other: str) -> None:
    """31 is prime: letters are as safe as digits."""
    changed = number[:at] + other + number[at + 1 :]

    assert _is_refused(IdType.USCC, changed) == (changed != number)


@given(valid, st.lists(clutter, min_size=21, max_size=21), st.booleans(), st.booleans())
def test_spellings_of_an_identifier_are_equal(
    drawn: tuple[IdType, str], between: list[str], small: bool, full_width: bool
) -> None:
    """Width, case, spaces and hyphens carry no meaning, and the text as written is kept."""
    kind, number = drawn
    text = number.lower() if small else number
    text = text.translate(wide) if full_width else text
    written = "".join(space + character for space, character in zip(between, text, strict=False))

    identifier = _accepted(kind, written)

    assert identifier == _accepted(kind, number)
    assert (identifier.as_written, same_identifier(identifier, _accepted(kind, number))) == (written, True)


@given(any_text)
def test_normalization_is_idempotent(text: str) -> None:
    """A stored value is found again by itself."""
    assert normalized(normalized(text)) == normalized(text)
    assert normalized_case_number(normalized_case_number(text)) == normalized_case_number(text)


@given(valid)
def test_a_normalized_value_is_read_as_itself(drawn: tuple[IdType, str]) -> None:
    """What was accepted once is accepted again, unchanged."""
    first = _accepted(*drawn)

    assert parse(first.id_type, first.value, country=first.country, today=TODAY) == first


@given(fifteens)
def test_a_number_of_15_digits_and_its_upgrade_are_equal(number: str) -> None:
    """Both name one subject, whichever was written first, and the upgrade passes every hard check."""
    old = _accepted(IdType.RESIDENT_ID, number)
    new = _accepted(IdType.RESIDENT_ID, old.canonical_value)

    assert (same_identifier(old, new), same_identifier(new, old), old.canonical_value, new.equivalents) == (
        True,
        True,
        new.value,
        (),
    )
    assert (sex_of(old), born_on(old)) == (sex_of(new), born_on(new))


@given(valid, valid)
def test_identifiers_are_equal_only_with_equal_kind_and_value(
    first: tuple[IdType, str], second: tuple[IdType, str]
) -> None:
    """One text under two kinds is two identifiers."""
    assert same_identifier(_accepted(*first), _accepted(*second)) == (first == second)


@given(st.sampled_from(IdType), any_text, st.none() | any_text)
def test_any_text_parses_or_raises_identifier_error(kind: IdType, text: str, country: str | None) -> None:
    """No library's error, no context of ours, and accepted values are ASCII."""
    outcome = _outcome(lambda: parse(kind, text, country=country, today=TODAY))

    if isinstance(outcome, IdentifierError):
        assert (outcome.__cause__, outcome.__context__) == (None, None)
    else:
        assert outcome.value.isascii()
        assert outcome.value.isalnum()


@given(any_text)
def test_any_text_parses_as_a_case_number_or_raises_identifier_error(text: str) -> None:
    """A case number is read as itself again, or refused."""
    outcome = _outcome(lambda: parse_case_number(text))

    if isinstance(outcome, IdentifierError):
        assert (outcome.__cause__, outcome.__context__) == (None, None)
    else:
        assert parse_case_number(outcome.value) == outcome


@given(
    st.integers(2016, 2099),
    st.from_regex(r"\A(最高法|浙([0-9]{4}|[0-9]{2})?)\Z"),
    st.sampled_from(["民初", "知民初", "诉前调", "执恢", "民申"]),
    st.integers(1, 999_999_999),
    st.sampled_from(["", "之一", "之二十三"]),
)
def test_a_case_number_round_trips(year: int, court: str, case_type: str, number: int, suffix: str) -> None:
    """The normalized text is built from the parts alone."""
    text = f"({year}){court}{case_type}{number}号{suffix}"
    case_number = parse_case_number(text)

    assert (case_number.value, case_number.case, case_number.warnings) == (text, text.removesuffix(suffix), ())


@given(valid, st.data())
def test_no_text_about_an_identifier_holds_it(drawn: tuple[IdType, str], data: st.DataObject) -> None:
    """Neither `repr` nor any text or attribute of a refusal repeats five characters in a row of what was written."""
    kind, number = drawn
    broken = number + data.draw(st.text(string.digits, min_size=5, max_size=9))
    identifier, outcome = _accepted(kind, number), _outcome(lambda: _accepted(kind, broken))

    texts = [repr(identifier), str(identifier), repr(outcome), str(outcome)]
    if isinstance(outcome, IdentifierError):
        texts += [outcome.help("zh"), outcome.help("en"), repr(outcome.args), repr(vars(outcome))]

    # Our own advice names the three prefixes of a permit.
    shown = " ".join(texts).replace("810000", "").replace("820000", "").replace("830000", "")
    assert [part for part in _windows(broken) if part in shown] == []


def _windows(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(len(text) - 4)]


@given(st.one_of(valid.map(lambda drawn: _accepted(*drawn)), st.text(st.characters(exclude_characters="•"))))
def test_a_mask_shows_at_most_half_and_always_ten_bullets(given: Identifier | str) -> None:
    """The mask does not tell the length, and its two ends are those of the number."""
    text = given.value if isinstance(given, Identifier) else given
    first, last = masked(given).split("•" * 10)

    assert text.startswith(first)
    assert text.endswith(last)
    assert len(first) == len(last) <= min(4, len(text) // 4)


@given(any_text)
def test_a_registering_authority_is_named_for_any_text(text: str) -> None:
    """A code of a register that is not well formed is unknown at worst."""
    assert registering_authority(text).zh


@given(residents, st.dates(date(1850, 1, 1), date(2100, 1, 1)))
def test_under_14_is_decided_by_the_birthday(number: str, day: date) -> None:
    """Counted in birthdays, and 29 February counts on 1 March."""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    fourteenth = (born.year + 14, born.month, born.day)

    assert is_under_14(_accepted(IdType.RESIDENT_ID, number), day) == ((day.year, day.month, day.day) < fourteenth)


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("330802199003071239", "3308••••••••••1239"),
        ("330802900307123", "330••••••••••123"),
        ("91330802DEM000014A", "9133••••••••••014A"),
        ("E00000000", "E0••••••••••00"),
        ("H0000", "H••••••••••0"),
        ("abc", "••••••••••"),
        ("", "••••••••••"),
    ],
)
def test_a_mask_shows_the_ends_of_a_number(text: str, mask: str) -> None:
    """Four and four of eighteen, less of a shorter one, nothing of a scrap."""
    assert masked(text) == mask
