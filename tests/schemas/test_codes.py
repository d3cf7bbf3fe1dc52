"""
The closed code tables: stable words, both languages, and the six states of an answer.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import cast

import pytest

import schemas
from schemas.codes import AnswerState, Code, IdType, RegistrationState, Sex, SubjectKind, Want

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
CHINESE = re.compile(r"[一-鿿]")


def _tables() -> list[type[Code]]:
    """Every table of the vocabulary, in whichever module it stands."""
    for module in pkgutil.walk_packages(schemas.__path__, "schemas."):
        importlib.import_module(module.name)
    tables = [table for table in Code.__subclasses__() if table.__module__.startswith("schemas.")]
    return sorted(tables, key=lambda table: (table.__module__, table.__qualname__))


TABLES = _tables()


def _name(table: type[Code]) -> str:
    return table.__qualname__


@pytest.mark.parametrize("table", TABLES, ids=_name)
def test_every_value_has_a_chinese_and_an_english_label(table: type[Code]) -> None:
    """No label is empty or has space around it, Chinese is Chinese, and English has no Chinese character left over."""
    labels = [(code, code.zh, code.en) for code in table]

    assert [code for code, zh, _ in labels if not CHINESE.search(zh) or zh != zh.strip()] == []
    assert [code for code, _, en in labels if not re.search("[A-Za-z]", en) or en != en.strip()] == []


@pytest.mark.parametrize("table", TABLES, ids=_name)
def test_every_code_is_snake_case_and_unique(table: type[Code]) -> None:
    """Words go into the API and the audit log: they are plain, and no two names of a table share one."""
    assert [code.value for code in table if not SNAKE_CASE.fullmatch(code.value)] == []
    assert list(table.__members__) == [code.name for code in table]


@pytest.mark.parametrize("table", TABLES, ids=_name)
def test_labels_of_a_table_are_unique(table: type[Code]) -> None:
    """A clerk can tell any two values apart, in either language."""
    assert len({code.zh for code in table}) == len(table)
    assert len({code.en for code in table}) == len(table)


@pytest.mark.parametrize("table", TABLES, ids=_name)
def test_a_value_is_its_word_everywhere(table: type[Code]) -> None:
    """A code prints, compares and is found again by its word, and a word outside the table is refused."""
    find = cast("Callable[[str], Code]", table)

    assert [str(code) for code in table] == [code.value for code in table]
    assert [find(code.value) for code in table] == list(table)
    with pytest.raises(ValueError, match="not a valid"):
        find("no_such_word")


def test_an_answer_has_exactly_six_states() -> None:
    """The same six words stand in API, page, command line, audit and docs."""
    assert [state.value for state in AnswerState] == [
        "found",
        "not_found",
        "ambiguous",
        "unavailable",
        "refused",
        "not_asked",
    ]


def test_the_words_of_the_api_are_those_of_the_design() -> None:
    """What a caller may write as kind, wish and type of identifier."""
    assert {table: [code.value for code in table] for table in (SubjectKind, Want, IdType)} == {
        SubjectKind: ["person", "organization"],
        Want: ["identity", "addresses", "registrations"],
        IdType: [
            "resident_id",
            "residence_permit",
            "permanent_residence",
            "passport",
            "uscc",
            "organization_code",
            "registration_number",
        ],
    }


def test_the_registration_states_are_those_of_ca19() -> None:
    """Seven states; suspension and the abnormal list are flags beside them."""
    assert [state.value for state in RegistrationState] == [
        "active",
        "revoked",
        "revoked_deregistered",
        "deregistered",
        "rescinded",
        "moved_out",
        "other",
    ]


def test_sex_has_the_four_values_of_the_standard() -> None:
    """GB/T 2261.1: not known and not stated are two things."""
    assert [sex.value for sex in Sex] == ["unknown", "male", "female", "not_stated"]
