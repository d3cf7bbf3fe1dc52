"""
Record faults: elements that are extra, missing, or hold a code that is not in the contract.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mock_agencies.faults.script import Options

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FaultFields:
    """
    The elements of an operation's rows that faults change: one with a closed code, one that every caller needs, and one
    that holds a number (None where the format has only text).
    """

    coded: str
    required: str
    number: str | None = None


def _unknown_code(rows: list[Row], fault_fields: FaultFields, options: Options) -> list[Row]:
    return [{**row, options.get("leaf", fault_fields.coded): options.get("value", "Z9")} for row in rows]


def _extra_field(rows: list[Row], _leaves: FaultFields, _options: Options) -> list[Row]:
    return [{**row, "XZDZBZ": "新增"} for row in rows]


def _missing_field(rows: list[Row], fault_fields: FaultFields, options: Options) -> list[Row]:
    missing = options.get("leaf", fault_fields.required)
    return [{leaf: value for leaf, value in row.items() if leaf != missing} for row in rows]


RECORDS: Final[dict[str, Callable[[list[Row], FaultFields, Options], list[Row]]]] = {
    "unknown_code": _unknown_code,
    "extra_field": _extra_field,
    "missing_field": _missing_field,
}
