"""
docs/lookup-result.md is true: its example is what the hub answers, and it explains every member.
"""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.lookup import AgencyAnswer, LookupResult
from schemas.provenance import Source, Sourced
from tests.court import RunningCourt

TEXT: Final = (Path(__file__).parents[2] / "docs" / "lookup-result.md").read_text(encoding="utf-8")

# What differs from run to run.
VARYING: Final = {"id", "at", "elapsed_ms", "reference", "intent", "outcome", "checkpoint_size"}


def comparable(result: dict[str, Any]) -> str:
    """The result in its order, with a type in place of each value that differs from run to run."""

    def without(member: Any, *, answer: bool = False) -> Any:
        if isinstance(member, list):
            return [without(item, answer=answer) for item in member]
        if not isinstance(member, dict):
            return member
        varying = VARYING | {"as_of"} if answer else VARYING
        return {
            name: type(value).__name__ if name in varying else without(value, answer=name == "answers")
            for name, value in member.items()
        }

    return json.dumps(without(result), ensure_ascii=False, indent=1)


def test_the_example_is_what_the_hub_answers(court: RunningCourt) -> None:
    """Same members in the same order, same values but for times and numbers of the run."""
    (example,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    person = court.cast["moved"]

    answer = court.look_up(court.dispatch(person), person)

    assert comparable(json.loads(example)) == comparable(answer.json())


def test_the_result_of_the_demo_person_has_at_most_6000_bytes(court: RunningCourt) -> None:
    """Everything is said once; it was 17 kB when each field repeated its agency and each address its law."""
    person = court.cast["moved"]

    assert len(court.look_up(court.dispatch(person), person).content) <= 6_000


def test_the_function_in_the_document_names_agency_and_day_of_each_source(court: RunningCourt) -> None:
    """The Python of the document runs as it stands."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(code, names)
    person = court.cast["moved"]
    result = court.look_up(court.dispatch(person), person).json()

    sources = dict(names["provenance"](result, result["addresses"][0]["text"]))

    assert sources == {"public_security": "2024-03-18"}
    assert list(dict(names["provenance"](result, result["identity"]["full_name"]))) == [
        "public_security",
        "human_resources",
    ]


@pytest.mark.parametrize("described", [LookupResult, AgencyAnswer, Source, Sourced])
def test_every_member_is_explained(described: Any) -> None:
    """No member of a result, an answer, a source or a field is missing in the tables."""
    explained = {
        name for row in re.findall(r"^\| (`[^|]*) \|", TEXT, re.MULTILINE) for name in re.findall("`(.*?)`", row)
    }

    assert {field.name for field in fields(described)} <= explained
