"""
Translation as data: how an agency's leaves become our fields, in tables that can be printed for an auditor.

Every leaf of an answer is taken, ignored with a reason, or reported as drift.  An unlisted code or a missing
required leaf makes the answer unreadable, never a guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adapters.errors import AnswerUnreadable
from schemas.codes import Reason
from schemas.records import Record

T = TypeVar("T")

_NO_VALUE = object()


class UnlistedCode(ValueError):
    """A code that is not in its closed table; the text names the table, never the code."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """
    A closed table from an agency's codes (as text) to ours.  Calling it with an unlisted code raises `UnlistedCode`.
    """

    name: str
    codes: Mapping[str, Any]
    fold: Callable[[str], str] = str.strip

    def __call__(self, raw: Any) -> Any:
        value = self.codes.get(self.fold(str(raw)), _NO_VALUE)
        if value is _NO_VALUE:
            raise UnlistedCode(self.name)
        return value


@dataclass(frozen=True, slots=True)
class Take:
    """One field of ours: which leaf it is read from, how it is read, and whether the answer needs it."""

    field: str
    at: str
    via: Callable[[Any], Any] = str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    One record that a row yields: its type, constant fields, takes.  With `when`, only if that leaf is present.
    """

    record: type[Record]
    takes: tuple[Take, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a field was read: the path in the agency's answer and the raw text there (personal, never logged)."""

    path: str
    raw: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One normalized record with the origin of each of its fields."""

    record: Record = field(repr=False)
    origins: Mapping[str, Origin] = field(repr=False)


def present(leaf: Any) -> bool:
    """Empty text and null are "no leaf"."""
    return leaf is not None and leaf != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMap:
    """
    The whole translation of one kind of row.

    `echo` names the leaf that repeats the identifier asked about, `named` the leaf with the subject's name; `ignore`
    lists the leaves that are known and not wanted, each with the reason.
    """

    name: str
    parts: tuple[Part, ...]
    echo: str | None = None
    named: str | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)

    def read(self, row: Mapping[str, Any]) -> tuple[tuple[Holding, ...], tuple[str, ...]]:
        """
        Returns the holdings of a row and its drift (paths of unknown leaves).  Raises `AnswerUnreadable`.
        """
        holdings = tuple(
            _read_part(part, row) for part in self.parts if part.when is None or present(row.get(part.when))
        )
        return holdings, tuple(sorted(path for path in row if path not in self.known))

    @property
    def known(self) -> frozenset[str]:
        """Every leaf that this map takes or ignores."""
        taken = {take.at for part in self.parts for take in part.takes}
        gates = {part.when for part in self.parts if part.when}
        ends = {leaf for leaf in (self.echo, self.named) if leaf}
        return frozenset(taken | gates | ends | set(self.ignore))


def _read_part(part: Part, row: Mapping[str, Any]) -> Holding:
    values: dict[str, Any] = dict(part.fixed)
    origins: dict[str, Origin] = {}
    for take in part.takes:
        raw = row.get(take.at)
        if not present(raw):
            if take.required:
                raise AnswerUnreadable(Reason.MISSING_LEAF, field=take.field, at=take.at)
            continue
        values[take.field] = _read_leaf(take, raw)
        origins[take.field] = Origin(path=take.at, raw=raw)
    return Holding(record=part.record(**values), origins=origins)


def _read_leaf(take: Take, raw: Any) -> Any:
    # The reader's own error may quote the leaf; it is left behind before ours is raised.
    reason = Reason.UNDECODABLE
    try:
        return take.via(raw)
    except UnlistedCode:
        reason = Reason.UNKNOWN_CODE
    except (ValueError, TypeError, KeyError, OverflowError):
        pass
    raise AnswerUnreadable(reason, field=take.field, at=take.at)
