"""
A request that is sent again is made once, whoever lost the answer.
"""

from concurrent.futures import ThreadPoolExecutor

from tests.autofill.conftest import Forms
from tests.court import RunningCourt


def test_a_key_makes_every_repetition_the_same_request(court: RunningCourt, forms: Forms) -> None:
    """Whether its value stands in quotes or not; another client's key is another key."""
    number = court.dispatch(court.cast["stayed"])

    first, again = forms.ask(number, key="monday-17").json(), forms.ask(number, key='"monday-17"').json()

    assert (first["id"], first["replayed"], again["replayed"]) == (again["id"], False, True)
    assert forms.ask(number, key="monday-18").json()["id"] != first["id"]


def test_a_key_with_another_body_is_refused(court: RunningCourt, forms: Forms) -> None:
    """And nothing is entered."""
    number, other = court.dispatch(court.cast["stayed"]), court.dispatch(court.cast["stayed"])
    forms.ask(number, key="tuesday")

    answer = forms.ask(other, key="tuesday")

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:shuniu:problem:key-reused")


def test_of_many_at_once_one_makes_the_request(court: RunningCourt, forms: Forms) -> None:
    """The others have its answer, or are told to come back; nobody makes a second one."""
    number = court.dispatch(court.cast["stayed"])

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: forms.ask(number, key="wednesday"), range(16)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert len({one["id"] for one in accepted}) == 1
    assert sum(not one["replayed"] for one in accepted) == 1
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} <= {
        "urn:shuniu:problem:key-in-use"
    }


def test_a_key_of_a_refused_request_may_be_used_again(court: RunningCourt, forms: Forms) -> None:
    """A refusal made nothing."""
    number = court.dispatch(court.cast["stayed"])

    assert forms.ask(number, key="thursday", parties=[9]).status_code == 422
    assert forms.ask(number, key="thursday").status_code == 202
