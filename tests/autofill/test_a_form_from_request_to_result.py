"""
A ticket system asks for the form of a work order, and has it.
"""

from tests.autofill.conftest import Forms, fields
from tests.desk import Desk


def test_a_form_is_filled_with_the_source_of_every_field(desk: Desk, forms: Forms) -> None:
    """Two parties, one form each; every field says who said it, as of when, and where the log tells of it."""
    person, company = desk.cast["stayed"], desk.cast["company_abnormal"]

    number, name = forms.dispatched(person, company)
    found = forms.ended(name)

    assert (found["state"], found["work_order"], found["template"]) == ("filled", number, "service")
    assert found["result"]["complete"] is True
    mine = fields(found)
    print(found)
