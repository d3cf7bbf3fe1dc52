"""
The documents say everything that the log can record and find.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from audit.format.event import EventType
from audit.sealing.keys import Keys
from audit.sealing.sealer import Sealer
from audit.store.sealed_values import SealedValues
from audit.store.search import HitEvidence
from tests.audit.examples import EXAMPLES

AUDIT = Path("docs/audit.md").read_text(encoding="utf-8")


def test_every_type_of_record_has_a_heading_with_its_code() -> None:
    """And codes and numbers are unique."""
    for kind in EventType:
        assert f"### `{kind.value}` ({kind.code})" in AUDIT
    assert len({kind.number for kind in EventType}) == len({kind.code for kind in EventType}) == len(EventType)


@pytest.mark.parametrize("kind", EventType, ids=lambda kind: kind.value)
def test_every_documented_leaf_is_the_real_one(kind: EventType, keys: Keys) -> None:
    """What stands in the document is part of a leaf, commitments apart; every type has an example of its own."""
    section = AUDIT.partition(f"### `{kind.value}` ")[2].partition("\n### ")[0].partition("\n## ")[0]
    (shown,) = re.findall(r"^```json\n(.*?)```", section, re.MULTILINE | re.DOTALL)
    leaf = json.loads(Sealer(keys, 0).seal(EXAMPLES[kind]).body)

    fragment = json.loads(f"{{{shown}}}")
    assert fragment
    assert fragment == without_commitments({name: leaf.get(name) for name in fragment})


def without_commitments(value: Any) -> Any:
    """A leaf's value without what is random in it."""
    if isinstance(value, dict):
        return {name: without_commitments(member) for name, member in value.items() if name != "c"}
    return [without_commitments(member) for member in value] if isinstance(value, list) else value


def test_every_state_of_a_hit_is_explained() -> None:
    """As the search prints it."""
    for word in (*HitEvidence, *SealedValues):
        assert f"`{word.value}`" in AUDIT
