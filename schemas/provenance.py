"""
Provenance: no normalized field without the agencies that said it, when, and where in their answer.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    Where one value came from.

    `as_of` is the day for which the agency vouches (its own register date if it states one, otherwise the moment
    of its answer); `path` names the leaf of its answer, never the leaf's content.
    """

    agency: str
    capability: str
    as_of: date | datetime
    path: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Generic[T]):
    """
    Another value that a source gave for the same field.  Shown beside the first, never averaged with it.
    """

    value: T = field(repr=False)
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Generic[T]):
    """
    One normalized field: the value, who said so, and what others said instead.  `repr` shows no value.
    """

    value: T = field(repr=False)
    sources: tuple[Source, ...]
    alternatives: tuple[Alternative[T], ...] = ()
