"""
Provenance of a normalized field: its sources, and values that other sources state.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# The name of what the case itself states, beside the names of agencies.
CASE_FILE: Final = "case_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    The source of one value.

    `answer` is the index (from 0) of the agency's answer in `LookupResult.answers`, where agency, capability, moment
    and reference number stand; it is absent for what the case itself states, whose `document` is the number of its
    proof.
    `path` names the element of the answer, never its content.  `as_of` is the register's own date for the value, absent
    where the record states none: then the moment of the answer counts.
    """

    answer: int | None = None
    path: str
    as_of: date | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Generic[T]):
    """
    Another value that a source states for the same field.  Shown beside the first, never averaged with it.
    """

    value: T = field(repr=False)
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Generic[T]):
    """
    One normalized field: the value, its sources, and what other sources state instead.  `repr` shows no value.
    """

    value: T = field(repr=False)
    sources: tuple[Source, ...]
    alternatives: tuple[Alternative[T], ...] = ()
