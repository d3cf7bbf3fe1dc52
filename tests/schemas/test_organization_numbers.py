"""
Numbers of organizations, as a specification.  All codes are made up: their organization codes start with DEM.
"""

import pytest

from schemas.codes import IdType
from schemas.identifiers import (
    Authority,
    Identifier,
    IdentifierError,
    IdentifierRule,
    IdentifierWarning,
    parse,
    registering_authority,
)

USCC, CODE, NUMBER = IdType.USCC, IdType.ORGANIZATION_CODE, IdType.REGISTRATION_NUMBER
REGION, EMBEDDED = IdentifierWarning.REGION_UNKNOWN, IdentifierWarning.EMBEDDED_CODE


@pytest.mark.parametrize(
    ("value", "authority"),
    [
        ("91330802DEM000014A", Authority.MARKET_REGULATION),
        ("91330803DEM000022K", Authority.MARKET_REGULATION),
        ("92330825DEM000065R", Authority.MARKET_REGULATION),
        ("93330825DEM000188P", Authority.MARKET_REGULATION),
        ("91330802DEM0000300", Authority.MARKET_REGULATION),
        ("91330800DEM00009X3", Authority.MARKET_REGULATION),
        ("12330800DEM0000495", Authority.STAFFING),
        ("11330800DEM000196R", Authority.STAFFING),
        ("52330802DEM000057Q", Authority.CIVIL_AFFAIRS),
        ("31330000DEM000161U", Authority.JUSTICE),
        ("81330800DEM00017XP", Authority.TRADE_UNIONS),
        ("N2330803DEM000030X", Authority.AGRICULTURE),
        ("A1330800DEM000073F", Authority.MILITARY),
        ("Y1330800DEM000081M", Authority.OTHER),
    ],
)
def test_a_credit_code_of_every_authority_is_accepted(value: str, authority: Authority) -> None:
    """Companies, public bodies, associations, law firms, unions, cooperatives: one code, many registers."""
    assert parse(USCC, value) == Identifier(id_type=USCC, value=value, as_written=value)
    assert registering_authority(value) is authority


@pytest.mark.parametrize(
    ("value", "warnings"),
    [
        ("91330802DEM000015D", (EMBEDDED,)),
        ("91999999DEM0000117", (REGION, EMBEDDED)),
        ("00330802DEM000014N", (IdentifierWarning.AUTHORITY_UNKNOWN,)),
        ("91100000DEM000014A", ()),
        ("91440300DEM000014E", ()),
        ("91339999DEM000014F", (REGION,)),
    ],
)
def test_what_only_a_table_knows_raises_a_doubt_in_a_credit_code(
    value: str, warnings: tuple[IdentifierWarning, ...]
) -> None:
    """Authority, region and the organization code inside are never a reason to refuse."""
    assert parse(USCC, value) == Identifier(id_type=USCC, value=value, as_written=value, warnings=warnings)


@pytest.mark.parametrize(
    "written", ["91330802dem000014a", "91330802 DEM00001-4 A", "９１３３０８０２ＤＥＭ００００１４ａ"]
)
def test_a_credit_code_is_normalized(written: str) -> None:
    """Small letters, spaces and hyphens are repaired; the text is kept."""
    identifier = parse(USCC, written)

    assert (identifier.value, identifier.as_written) == ("91330802DEM000014A", written)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("91330802DEM000014B", IdentifierRule.CHECK_CHARACTER),
        ("91330802DES000014A", IdentifierRule.USCC_ALPHABET),
        ("9133O802DEM000014A", IdentifierRule.USCC_ALPHABET),
        ("91330802DEM00001四A", IdentifierRule.USCC_ALPHABET),
        ("9133080ADEM000014A", IdentifierRule.USCC_REGION),
        ("91330802DEM000014", IdentifierRule.USCC_LENGTH),
        ("91330802DEM000014A0", IdentifierRule.USCC_LENGTH),
        ("", IdentifierRule.USCC_LENGTH),
    ],
)
def test_a_credit_code_is_refused_by_the_rule_that_it_breaks(text: str, rule: IdentifierRule) -> None:
    """Length, alphabet of 31, region in digits, check character."""
    with pytest.raises(IdentifierError) as refusal:
        parse(USCC, text)

    assert refusal.value.rule is rule


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("DEM00001-4", "DEM000014"),
        ("DEM00009-X", "DEM00009X"),
        ("DEM00009-x", "DEM00009X"),
        ("DEM00003-0", "DEM000030"),
        ("DEM00003－0", "DEM000030"),
    ],
)
def test_an_organization_code_is_accepted_with_and_without_its_hyphen(written: str, value: str) -> None:
    """The printed hyphen is no part of the code."""
    assert parse(CODE, written) == Identifier(id_type=CODE, value=value, as_written=written)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("DEM00001-5", IdentifierRule.CHECK_CHARACTER),
        ("DEM00001-A", IdentifierRule.ORGANIZATION_CODE_FORMAT),
        ("DEM0001-4", IdentifierRule.ORGANIZATION_CODE_FORMAT),
        ("DEM0000014", IdentifierRule.ORGANIZATION_CODE_FORMAT),
        ("DEM0000一4", IdentifierRule.ORGANIZATION_CODE_FORMAT),
        ("", IdentifierRule.ORGANIZATION_CODE_FORMAT),
    ],
)
def test_an_organization_code_is_refused_by_the_rule_that_it_breaks(text: str, rule: IdentifierRule) -> None:
    """Eight digits or letters and a check character that fits."""
    with pytest.raises(IdentifierError) as refusal:
        parse(CODE, text)

    assert refusal.value.rule is rule


@pytest.mark.parametrize(
    ("value", "warnings"),
    [
        ("330800000000017", ()),
        ("330802000000016", ()),
        ("330803600000014", ()),
        ("330821000000010", ()),
        ("100000000000014", ()),
        ("999999000000019", (REGION,)),
    ],
)
def test_a_registration_number_is_accepted_with_its_doubts(value: str, warnings: tuple[IdentifierWarning, ...]) -> None:
    """The registry's region is a doubt at most."""
    assert parse(NUMBER, value) == Identifier(id_type=NUMBER, value=value, as_written=value, warnings=warnings)


@pytest.mark.parametrize("valid", ["330800000000017", "330802000000016", "330803600000014", "330821000000010"])
def test_any_other_last_digit_of_a_registration_number_is_refused(valid: str) -> None:
    """Exactly one digit of ten fits."""
    others = [valid[:14] + digit for digit in "0123456789" if digit != valid[14]]

    assert [_rule(NUMBER, text) for text in others] == [IdentifierRule.CHECK_CHARACTER] * 9


@pytest.mark.parametrize("text", ["33080000000001", "3308000000000170", "33080000000001X", "三", ""])
def test_a_registration_number_that_is_not_15_digits_is_refused(text: str) -> None:
    """Older numbers of other lengths are looked up at the registry, not here."""
    assert _rule(NUMBER, text) is IdentifierRule.REGISTRATION_NUMBER_FORMAT


def test_only_market_regulation_is_market_regulation() -> None:
    """Every other authority has registers of its own, which no lookup of market regulation answers."""
    assert [authority for authority in Authority if authority.is_market_regulation] == [Authority.MARKET_REGULATION]


@pytest.mark.parametrize(
    ("first", "authority"),
    [
        ("1", Authority.STAFFING),
        ("2", Authority.FOREIGN_AFFAIRS),
        ("3", Authority.JUSTICE),
        ("4", Authority.CULTURE),
        ("5", Authority.CIVIL_AFFAIRS),
        ("6", Authority.TOURISM),
        ("7", Authority.RELIGION),
        ("8", Authority.TRADE_UNIONS),
        ("9", Authority.MARKET_REGULATION),
        ("A", Authority.MILITARY),
        ("N", Authority.AGRICULTURE),
        ("Y", Authority.OTHER),
        ("n", Authority.AGRICULTURE),
        ("９", Authority.MARKET_REGULATION),
        ("0", Authority.UNKNOWN),
        ("B", Authority.UNKNOWN),
        ("", Authority.UNKNOWN),
    ],
)
def test_the_first_character_names_the_registering_authority(first: str, authority: Authority) -> None:
    """The table is closed: a character outside of it is the unknown authority."""
    assert registering_authority(first) is authority


def _rule(id_type: IdType, text: str) -> IdentifierRule:
    with pytest.raises(IdentifierError) as refusal:
        parse(id_type, text)
    return refusal.value.rule
