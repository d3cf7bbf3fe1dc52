"""
Many requests at once: every line answered in its order, a bad one changes nothing, the others are done.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.autofill.conftest import Forms
from tests.court import RunningCourt

NDJSON = "application/x-ndjson"


def send(forms: Forms, lines: list[Any], content_type: str = NDJSON) -> httpx.Response:
    """A batch; a line that is text is sent as it is."""
    body = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines).encode()
    headers = {"Authorization": f"Bearer {forms.token}", "Content-Type": content_type}
    address = f"{forms.court.demo.address}/v1/autofill/batches"
    return httpx.post(address, content=body, headers=headers, timeout=60, trust_env=False)


def answers(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def rule(answer: dict[str, Any]) -> str | None:
    """The rule of a bad line."""
    problem = answer.get("problem")
    return None if problem is None else problem.get("rule") or problem["errors"][0]["rule"]


@pytest.fixture(scope="module")
def order(court: RunningCourt) -> str:
    """A work order for many requests."""
    return court.dispatch(court.cast["company_abnormal"])


def test_batch_lines_are_answered_in_order_and_valid_ones_are_stored(
    court: RunningCourt, forms: Forms, order: str
) -> None:
    """With the rule that each bad one breaks."""
    good = {"work_order": order}

    said = answers(send(forms, [good, "{not json", good | {"template": "no"}, "", {"work_order": "T-0"}, good]))

    assert [(one["line"], one.get("work_order"), rule(one)) for one in said] == [
        (1, order, None),
        (2, None, "json_invalid"),
        (3, None, "unknown_template"),
        (4, None, "work_order_unknown"),
        (5, order, None),
    ]
    assert {forms.ended(one["id"])["state"] for one in said if "id" in one} == {"filled"}


def test_a_line_with_a_key_may_be_sent_again(forms: Forms, order: str) -> None:
    """Nothing is asked for twice."""
    line = {"work_order": order, "key": "line-1"}

    first, second = answers(send(forms, [line, line]))

    assert (first["id"], first["replayed"], second["replayed"]) == (second["id"], False, True)


BAD = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=40).filter(
        lambda text: text.strip() != "" and not text.strip().startswith("{")
    ),
    st.dictionaries(st.sampled_from(["work_order", "parties", "deadline", "x"]), st.integers() | st.none(), max_size=3),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.one_of(st.none(), BAD), max_size=12))
def test_whatever_stands_in_a_line_the_others_are_not_touched(forms: Forms, order: str, lines: list[Any]) -> None:
    """Good lines among any others: as many answers as lines, the good ones accepted, the bad ones refused."""
    body = [{"work_order": order, "template": "service"} if line is None else line for line in lines]

    said = answers(send(forms, body))

    assert [one["line"] for one in said] == list(range(1, len(body) + 1))
    assert ["problem" not in one for one in said] == [line is None for line in lines]


def test_a_line_too_long_ends_the_batch_and_the_lines_before_it_stand(forms: Forms, order: str) -> None:
    """Its answer is the last one."""
    said = answers(send(forms, [{"work_order": order}, "x" * 20_000, {"work_order": order}]))

    assert [one["line"] for one in said] == [1, 2]
    assert said[1]["problem"]["type"] == "urn:shuniu:problem:body-too-large"
    assert "id" in said[0]


def test_answers_come_while_lines_are_still_being_sent(forms: Forms, order: str) -> None:
    """The first is there before the last line has left."""
    seen: list[bytes] = []

    def body() -> Iterator[bytes]:
        line = json.dumps({"work_order": order}).encode() + b"\n"
        yield from [line] * 20
        yield line * 20

    headers = {"Authorization": f"Bearer {forms.token}", "Content-Type": NDJSON}
    address = f"{forms.court.demo.address}/v1/autofill/batches"
    with httpx.stream("POST", address, content=body(), headers=headers, timeout=60, trust_env=False) as response:
        seen += response.iter_lines()

    assert len(seen) == 40
    assert response.headers.get("content-length") is None


def test_a_batch_is_lines_of_json(forms: Forms) -> None:
    """And nothing else."""
    assert send(forms, [], content_type="application/json").status_code == 415
