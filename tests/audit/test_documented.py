"""
The documents say everything that the log can record and find.
"""

from pathlib import Path

from audit.event import EventType
from audit.search import Evidence
from audit.slots import Values

AUDIT = Path("docs/audit.md").read_text(encoding="utf-8")


def test_every_type_of_record_has_a_heading_with_its_code() -> None:
    """And codes and numbers are unique."""
    for kind in EventType:
        assert f"### `{kind.value}` ({kind.code})" in AUDIT
    assert len({kind.number for kind in EventType}) == len({kind.code for kind in EventType}) == len(EventType)


def test_every_state_of_a_hit_is_explained() -> None:
    """As the search prints it."""
    for word in (*Evidence, *Values):
        assert f"`{word.value}`" in AUDIT
