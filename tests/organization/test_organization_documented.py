"""
The documents of the tree keep step with it.
"""

from pathlib import Path

import pytest

from gateway.access.break_glass import EmergencyReason
from gateway.access.emergency_rules import EmergencyRule
from gateway.access.reviews import ReviewFinding
from gateway.organization.delegations import DelegationRule
from gateway.organization.import_export import COLUMNS
from gateway.organization.roles import Role
from gateway.organization.rules import OrganizationRule
from schemas.codes import Code

DOCS = Path(__file__).parent.parent.parent / "docs"
WORDS = (*OrganizationRule, *DelegationRule, *EmergencyRule, *Role, *EmergencyReason, *ReviewFinding)


@pytest.mark.parametrize("word", WORDS, ids=str)
def test_every_word_of_the_tree_can_be_looked_up(word: Code) -> None:
    """Rules, roles, reasons and findings."""
    texts = [(DOCS / name).read_text(encoding="utf-8") for name in ("organization.md", "problems.md")]

    assert any(f"`{word.value}`" in text for text in texts)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_file_is_explained(column: str) -> None:
    """Who writes such a file by hand needs no program."""
    assert f"`{column}`" in (DOCS / "organization.md").read_text(encoding="utf-8")
