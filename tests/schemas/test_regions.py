"""
The region inside a number: where it was first issued, resolved by code and year, and never a reason to refuse.
"""

import pytest

from schemas.identifiers.errors import IdentifierWarning
from schemas.identifiers.regions import is_division, is_registry, region_doubts, region_name

UNKNOWN, NOT_IN_FORCE = (IdentifierWarning.REGION_UNKNOWN,), (IdentifierWarning.REGION_NOT_IN_FORCE,)


@pytest.mark.parametrize(
    ("code", "birth_year", "name"),
    [
        ("330802", 1990, "柯城区"),
        ("330803", 2001, "衢江区"),
        ("330821", 1965, "衢县"),
        ("330822", 1985, "常山县"),
        ("330823", 1960, "江山县"),
        ("330824", 2020, "开化县"),
        ("330825", 1999, "龙游县"),
        ("330881", 1995, "江山市"),
        ("330801", 1985, "市辖区"),
        ("330800", 1985, "衢州市"),
        ("332402", 1970, "衢州市"),
        ("332427", 1970, "常山县"),
        ("332428", 1960, "江山县"),
        ("332429", 1985, "开化县"),
        ("332430", 1984, "龙游县"),
        ("332502", 1993, "龙泉市"),
        ("332528", 1990, "松阳县"),
        ("330113", 2021, "临平区"),
        ("330114", 2024, "钱塘区"),
    ],
)
def test_a_region_is_named_by_its_code_and_the_year(code: str, birth_year: int, name: str) -> None:
    """Whoever was born before numbers were given out got the code of the time when they were."""
    assert (region_name(code, birth_year), region_doubts(code, birth_year)) == (name, ())


@pytest.mark.parametrize(
    ("code", "birth_year"),
    [
        ("330803", 1990),
        ("330113", 1990),
        ("330821", 2002),
        ("330823", 1990),
        ("330881", 1960),
        ("332428", 1990),
        ("332502", 1960),
        ("332530", 1960),
    ],
)
def test_a_region_that_was_not_in_force_is_doubted_and_not_named(code: str, birth_year: int) -> None:
    """Codes were used again for other places, so a code of another time says nothing."""
    assert (region_name(code, birth_year), region_doubts(code, birth_year)) == (None, NOT_IN_FORCE)


def test_a_code_that_changed_its_place_within_a_year_is_not_named_in_that_year() -> None:
    """Two names fit, so neither is given; that is no doubt about the number."""
    assert [region_name("330206", year) for year in (1986, 1987, 1988)] == ["滨海区", None, "北仑区"]
    assert region_doubts("330206", 1987) == ()


@pytest.mark.parametrize("code", ["000000", "339999", "990000", "810000"])
def test_a_region_outside_the_table_is_doubted(code: str) -> None:
    """Zhejiang is known by its divisions, every other province by its first two digits."""
    assert (is_division(code), region_name(code, 1990), region_doubts(code, 1990)) == (False, None, UNKNOWN)


def test_a_region_of_another_province_is_accepted_and_not_named() -> None:
    """What the table does not hold is not made up."""
    assert (is_division("110105"), region_name("110105", 1990), region_doubts("110105", 1990)) == (True, None, ())


def test_the_national_registry_has_a_code_that_no_division_has() -> None:
    """Companies registered in the capital of all, under 100000."""
    assert (is_registry("100000"), is_division("100000"), is_registry("330802"), is_registry("999999")) == (
        True,
        False,
        True,
        False,
    )
