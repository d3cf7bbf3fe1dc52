"""
Passports and other travel papers: a country is required, and little else is known for certain.
"""

import pytest

from schemas.codes import IdType
from schemas.identifiers import Identifier, IdentifierError, IdentifierRule, IdentifierWarning, parse, same_identifier

PASSPORT = IdType.PASSPORT
UNUSUAL, COUNTRY = IdentifierWarning.PAPER_FORM_UNUSUAL, IdentifierWarning.COUNTRY_UNKNOWN


@pytest.mark.parametrize(
    ("value", "country", "warnings"),
    [
        ("E00000000", "CHN", ()),
        ("EA0000000", "CHN", ()),
        ("G00000000", "CHN", ()),
        ("H00000000", "CHN", ()),
        ("00000000", "CHN", ()),
        ("GA00000000", "CHN", ()),
        ("GA000000000", "CHN", (UNUSUAL,)),
        ("EAA000000", "CHN", (UNUSUAL,)),
        ("K00000000", "CHN", (UNUSUAL,)),
        ("H00000000", "HKG", ()),
        ("H0000000001", "HKG", ()),
        ("M00000000", "MAC", ()),
        ("M000000000", "MAC", (UNUSUAL,)),
        ("00000000", "TWN", ()),
        ("000000000", "TWN", (UNUSUAL,)),
        ("00012", "USA", ()),
        ("C01X00T47", "DEU", ()),
        ("A0000000000000000000", "RUS", ()),
        ("00000000", "XXA", ()),
        ("00000000", "QQQ", (COUNTRY,)),
    ],
)
def test_a_travel_paper_is_accepted_with_its_doubts(
    value: str, country: str, warnings: tuple[IdentifierWarning, ...]
) -> None:
    """Five to twenty letters and digits, leading zeros kept; the usual form of a country is a doubt at most."""
    assert parse(PASSPORT, value, country=country) == Identifier(
        id_type=PASSPORT, value=value, as_written=value, country=country, warnings=warnings
    )


@pytest.mark.parametrize(
    ("given", "country", "warnings"),
    [
        ("156", "CHN", ()),
        ("８４０", "USA", ()),
        ("usa", "USA", ()),
        ("999", "999", (COUNTRY,)),
    ],
)
def test_the_country_may_be_written_in_letters_or_digits(
    given: str, country: str, warnings: tuple[IdentifierWarning, ...]
) -> None:
    """One country has one code here, so that the same paper compares as the same."""
    identifier = parse(PASSPORT, "E00000000", country=given)

    assert (identifier.country, identifier.warnings) == (country, warnings)


@pytest.mark.parametrize("country", [None, "", " ", "CN", "CHNA", "C1N", "中国人", "1560"])
def test_a_travel_paper_without_a_country_code_is_refused(country: str | None) -> None:
    """The same number is given out by many countries."""
    with pytest.raises(IdentifierError) as refusal:
        parse(PASSPORT, "E00000000", country=country)

    assert refusal.value.rule is IdentifierRule.COUNTRY_REQUIRED


@pytest.mark.parametrize("text", ["", "E000", "E-0-0-0", "A00000000000000000000", "E0000/000", "护照00000"])
def test_a_travel_paper_of_another_form_is_refused(text: str) -> None:
    """Length and alphabet are hard, counted without the hyphens."""
    with pytest.raises(IdentifierError) as refusal:
        parse(PASSPORT, text, country="CHN")

    assert refusal.value.rule is IdentifierRule.TRAVEL_PAPER_FORMAT


def test_papers_of_two_countries_with_one_number_are_not_equal() -> None:
    """The country is a part of what a paper is."""
    german, american = (parse(PASSPORT, "C00000000", country=country) for country in ("DEU", "USA"))

    assert same_identifier(german, parse(PASSPORT, "c0000-0000", country="276")) is True
    assert same_identifier(german, american) is False


def test_other_kinds_of_identifier_ignore_the_country() -> None:
    """A resident number with a country beside it is the same resident number."""
    value = "330802199003071239"

    assert parse(IdType.RESIDENT_ID, value, country="CHN") == parse(IdType.RESIDENT_ID, value)
