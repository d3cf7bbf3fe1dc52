"""
The one comparison of names: equal forms are equal names.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.comparison import comparable_text

# Names written alike, so that equal forms are common among the drawn texts.
NAMES = st.text(alphabet="示例明李 　·•・Aａ\u00c5\u212bé\u0301e\u200b,，、", max_size=4)


def same(first: str, second: str) -> bool:
    """How every caller compares."""
    return comparable_text(first) == comparable_text(second)


@given(st.one_of(st.text(), NAMES))
def test_comparison_is_reflexive_and_its_form_is_stable(name: str) -> None:
    """A name equals itself, and its form has no other form."""
    assert same(name, name)
    assert comparable_text(comparable_text(name)) == comparable_text(name)


@given(NAMES, NAMES)
def test_comparison_is_symmetric(first: str, second: str) -> None:
    """It makes no difference which of two names comes from the register."""
    assert same(first, second) == same(second, first)


@given(NAMES, NAMES, NAMES)
def test_comparison_is_transitive(first: str, second: str, third: str) -> None:
    """Work order, caller and agency agree in pairs or not at all."""
    assert same(first, third) or not (same(first, second) and same(second, third))


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_width_and_blanks_make_no_difference(narrow: str) -> None:
    """Full-width letters, digits, brackets and commas compare equal to the plain ones, with or without blanks."""
    wide = "　".join(chr(ord(character) + 0xFEE0) for character in narrow)

    assert same(wide, narrow)


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ("阿依古丽•买买提", "阿依古丽·买买提", True),
        ("阿依古丽・买买提", "阿依古丽‧买买提", True),
        ("示例\u200b小明", "示例小明", True),
        ("示例 小明", "示例小明", True),
        ("Anna Li", "ANNA LI", True),
        ("吊销、未注销", "吊销，未注销", True),
        ("示例小明", "示例晓明", False),
        ("示例小明", "示例小明明", False),
        ("阿依古丽买买提", "阿依古丽·买买提", False),
    ],
)
def test_names_are_equal_up_to_dots_width_case_and_blanks(first: str, second: str, equal: bool) -> None:
    """No character of a name is guessed or left out."""
    assert same(first, second) is equal
