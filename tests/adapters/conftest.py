"""
What the golden tests share: subjects, and rows as a wire hands them over.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Rows
from schemas.codes import IdType, SubjectKind
from schemas.subject import Subject


@pytest.fixture
def person() -> Subject:
    """A synthetic person by number and name."""
    return Subject(kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number="330802199003071239", name="柯明远")


@pytest.fixture
def company() -> Subject:
    """A synthetic company by its unified social credit code."""
    return Subject(
        kind=SubjectKind.ORGANIZATION, id_type=IdType.USCC, id_number="91330802DEM000014A", name="衢州示例贸易有限公司"
    )


@pytest.fixture
def rows() -> Callable[..., Rows]:
    """Rows of one answer, as a wire hands them over."""

    def build(*records: Mapping[str, Any]) -> Rows:
        return Rows(records=records, answered_at=datetime(2026, 11, 2, 8, 30, tzinfo=UTC), reference="r-1")

    return build
