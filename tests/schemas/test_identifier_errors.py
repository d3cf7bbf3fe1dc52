"""
The refusals and doubts: closed lists, in both languages, and a public face that is exactly what it says.
"""

import pickle
import re
from datetime import date

import pytest

import schemas.identifiers
from schemas.codes import IdType
from schemas.identifiers import IdentifierError, IdentifierRule, IdentifierWarning, parse, parse_case_number

SENTENCE = re.compile(r"[.。]")


@pytest.mark.parametrize("rule", IdentifierRule)
def test_a_refusal_names_its_rule_and_the_next_step_in_both_languages(rule: IdentifierRule) -> None:
    """The text is the rule's word; the clerk's sentence says what to compare and who can help."""
    error = IdentifierError(rule)

    assert isinstance(error, ValueError)
    assert str(error) == f"identifier is refused by rule {rule.value}"
    assert (error.rule, error.help("zh"), error.help("zh-CN"), error.help("en")) == (rule, rule.zh, rule.zh, rule.en)
    assert min(len(SENTENCE.findall(rule.zh)), len(SENTENCE.findall(rule.en))) >= 2


@pytest.mark.parametrize("warning", IdentifierWarning)
def test_a_doubt_says_what_to_check_in_both_languages(warning: IdentifierWarning) -> None:
    """What is odd, and what a clerk does about it."""
    assert "请" in warning.zh
    assert re.search(r"\b([Cc]heck|[Cc]ompare|[Mm]ake sure)\b", warning.en)


def test_a_refusal_survives_the_way_between_processes() -> None:
    """It holds nothing but its rule."""
    error = pickle.loads(pickle.dumps(IdentifierError(IdentifierRule.CHECK_DIGIT)))

    assert (type(error), error.args, vars(error)) == (
        IdentifierError,
        (IdentifierRule.CHECK_DIGIT,),
        {"rule": IdentifierRule.CHECK_DIGIT},
    )


def test_a_value_shows_its_kind_and_its_doubts_and_nothing_personal() -> None:
    """Logs and tracebacks print `repr`."""
    day = date(2026, 11, 23)

    assert [
        repr(parse(IdType.RESIDENT_ID, "330802199003071239", today=day)),
        repr(parse(IdType.PASSPORT, "E00000000", country="CHN", today=day)),
    ] == [
        "Identifier(id_type=<IdType.RESIDENT_ID: 'resident_id'>, warnings=())",
        "Identifier(id_type=<IdType.PASSPORT: 'passport'>, warnings=())",
    ]


@pytest.mark.parametrize("text", ["（2024）浙0802民初7654321号", "（2011）宁执字第07654321号"])
def test_a_case_number_does_not_show_its_number(text: str) -> None:
    """Court and kind may be read in a log, the case may not."""
    assert "7654321" not in repr(parse_case_number(text))


def test_the_public_names_are_exactly_those_that_are_listed() -> None:
    """`__all__` is sorted, each name is there, and the modules behind it stay behind it."""
    names = schemas.identifiers.__all__

    assert names == sorted(names)
    assert [name for name in names if not hasattr(schemas.identifiers, name)] == []
    assert {name for name, thing in vars(schemas.identifiers).items() if callable(thing)} == set(names)
