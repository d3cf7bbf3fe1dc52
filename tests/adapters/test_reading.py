"""
About whom an answer is: nobody, the subject, somebody else, or several.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Rows
from adapters.errors import AnswerUnreadable
from adapters.interpretation import interpret, person_terms
from adapters.mapping import Part, RecordMap, Take
from schemas.codes import AnswerState, Reason
from schemas.records import PersonIdentity
from schemas.subject import Subject

MAP = RecordMap(
    name="any.person",
    identifier_element="number",
    name_element="name",
    parts=(
        Part(
            record=PersonIdentity,
            takes=(
                Take("id_number", at="number", required=True),
                Take("full_name", at="name", required=True),
            ),
        ),
    ),
    ignore={"photo": "not needed"},
)
ROW = {"number": "330802199003071239", "name": "柯明远"}


def test_no_row_is_not_found(rows: Callable[..., Rows], person: Subject) -> None:
    """An agency that holds nothing has answered."""
    reading = interpret(rows(), MAP, person)

    assert (reading.state, reading.reason, reading.records) == (AnswerState.NOT_FOUND, None, ())


def test_an_answer_about_another_subject_is_unavailable(rows: Callable[..., Rows], person: Subject) -> None:
    """A row with another number is never taken, and the error names only the leaf."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows(ROW | {"number": "33080219900307005X"}), MAP, person)

    assert (caught.value.reason, caught.value.at) == (Reason.WRONG_SUBJECT, "number")
    assert "33080219900307005X" not in str(caught.value)


def test_an_answer_that_does_not_say_about_whom_it_is_is_unavailable(
    rows: Callable[..., Rows], person: Subject
) -> None:
    """Without the echoed number nothing ties the answer to the question."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows({"name": "柯明远"}), MAP, person)

    assert (caught.value.reason, caught.value.at) == (Reason.MISSING_LEAF, "number")


def test_the_old_form_of_a_number_is_the_same_number(rows: Callable[..., Rows], person: Subject) -> None:
    """A register that still holds 15 digits answers about the holder of the 18."""
    old = replace(person, id_number="330802900307123")
    new_row, old_row = ROW | {"number": "330802199003071231"}, ROW | {"number": "330802900307123"}
    number = person_terms(old)["id_number"]

    assert len(number) == 18
    assert interpret(rows(ROW | {"number": number}), MAP, old).state is AnswerState.FOUND
    assert interpret(rows(old_row), MAP, replace(person, id_number=number)).state is AnswerState.FOUND
    with pytest.raises(AnswerUnreadable):
        interpret(rows(new_row), MAP, replace(person, id_number="33080219900307005X"))


def test_two_persons_on_one_number_are_ambiguous_whatever_name_was_asked(
    rows: Callable[..., Rows], person: Subject
) -> None:
    """A name in the question never picks one of two; both are held for a clerk."""
    reading = interpret(rows(ROW, ROW | {"name": "郑文清"}), MAP, person)

    assert (reading.state, reading.reason) == (AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES)
    assert [holding.record for holding in reading.records] == [
        PersonIdentity(id_number="330802199003071239", full_name="柯明远"),
        PersonIdentity(id_number="330802199003071239", full_name="郑文清"),
    ]


def test_what_is_held_about_a_stranger_is_not_read(rows: Callable[..., Rows], person: Subject) -> None:
    """Rows about another number make the answer ambiguous, and are left out of it."""
    reading = interpret(rows(ROW, {"number": "33080219900307005X", "name": "郑文清"}), MAP, person)

    assert (reading.state, reading.reason) == (AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES)
    assert [holding.record for holding in reading.records] == [
        PersonIdentity(id_number="330802199003071239", full_name="柯明远")
    ]


def test_a_row_that_repeats_is_one_record(rows: Callable[..., Rows], person: Subject) -> None:
    """The same record twice is neither two records nor two subjects."""
    reading = interpret(rows(ROW, ROW), MAP, person)

    assert (reading.state, len(reading.records)) == (AnswerState.FOUND, 1)


@pytest.mark.parametrize("name", ["柯明远", " 柯 明远", "柯　明远", None])
def test_names_are_compared_without_blanks(rows: Callable[..., Rows], person: Subject, name: str | None) -> None:
    """Blanks and width are no difference; a question without a name compares none."""
    assert interpret(rows(ROW), MAP, replace(person, name=name)).state is AnswerState.FOUND


def test_another_name_on_the_number_is_ambiguous(rows: Callable[..., Rows], person: Subject) -> None:
    """Number right and name wrong is for a clerk to clear up."""
    reading = interpret(rows(ROW), MAP, replace(person, name="柯明达"))

    assert (reading.state, reading.reason) == (AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH)


@given(leaf=st.text(min_size=1).filter(lambda name: name not in MAP.known), content=st.text())
def test_a_leaf_that_is_not_known_is_drift_and_changes_nothing(leaf: str, content: str) -> None:
    """Agencies add fields on working days: the path is reported, the content is not, the answer stands."""
    held, drift = MAP.read(ROW | {leaf: content})

    assert [holding.record for holding in held] == [PersonIdentity(id_number="330802199003071239", full_name="柯明远")]
    assert drift == (leaf,)


@given(content=st.one_of(st.none(), st.just(""), st.text(alphabet=" \t\n\u3000", min_size=1)))
def test_a_blank_leaf_is_no_leaf(content: str | None) -> None:
    """Null, empty and blank text are absence; absence of a required leaf is unreadable."""
    with pytest.raises(AnswerUnreadable) as caught:
        MAP.read(ROW | {"name": content})

    assert (caught.value.reason, caught.value.field, caught.value.at) == (Reason.MISSING_LEAF, "full_name", "name")


@given(content=st.one_of(st.lists(st.text()), st.dictionaries(st.text(), st.text(), min_size=1), st.booleans()))
def test_a_nested_value_is_not_read_as_a_name(content: object) -> None:
    """A leaf of another shape is unreadable, never printed into a field."""
    with pytest.raises(AnswerUnreadable) as caught:
        MAP.read(ROW | {"name": content})

    assert caught.value.reason is Reason.UNDECODABLE
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
