"""
Translation as data: how an agency's leaves become our fields, in tables that can be printed for an auditor.

Every leaf of an answer is taken, ignored with a reason, or reported as drift.  An unlisted code or a missing
required leaf makes the answer unreadable, never a guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

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


def text(raw: Any) -> str:
    """
    Reads a text or whole number as text without outer blanks.  Anything else raises `TypeError`: a nested value is
    not a name.
    """
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise TypeError("not a text")
    return str(raw).strip()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a leaf: holds if the leaf is present and its closed table reads it as true."""

    at: str
    via: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Take:
    """
    One field of ours: which leaf it is read from, how it is read, and whether the answer needs it.

    With `given`, the leaf counts only where that condition holds.  Of several takes of one field the first whose leaf
    is present wins.  A reader that returns None says that the leaf does not tell: the field is then not held.
    """

    field: str
    at: str
    via: Callable[[Any], Any] = text
    required: bool = False
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    One record that a row yields: its type, the fields that stand unless a take replaces them, the takes.

    With `when`, only if that leaf is present; with `given`, only if that condition holds.
    """

    record: type[Record]
    takes: tuple[Take, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    when: str | None = None
    condition: Condition | None = None

    @property
    def elements(self) -> frozenset[str]:
        """Every leaf that this part looks at."""
        conditions = [given.at for given in (self.condition, *(take.condition for take in self.takes)) if given]
        return frozenset([*(take.at for take in self.takes), *conditions, *([self.when] if self.when else [])])


class FieldOrigin(NamedTuple):
    """Where a field was read: the path in the agency's answer and the raw text there (personal, never shown)."""

    path: str
    raw: Any

    def __repr__(self) -> str:
        return f"Origin(path={self.path!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWithOrigins:
    """One normalized record with the origin of each of its fields."""

    record: Record = field(repr=False)
    origins: Mapping[str, FieldOrigin] = field(repr=False)


def is_present(leaf: Any) -> bool:
    """Null, empty and blank text are "no leaf"."""
    return leaf is not None and not (isinstance(leaf, str) and not leaf.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMap:
    """
    The whole translation of one kind of row.

    `echo` names the leaf that repeats the identifier asked about, `named` and `formerly` the leaves with the subject's
    name and earlier name, `apart` further leaves in which two subjects differ, `degrees` the leaves in which the agency
    itself says how number and name match; `ignore` lists the leaves that are known and not wanted, each with why.
    Where leaves are requested by name, the answer is `complete`: one that is read may be blank but not left out.
    """

    name: str
    parts: tuple[Part, ...]
    identifier_element: str | None = None
    name_element: str | None = None
    former_name_element: str | None = None
    distinguishing_elements: tuple[str, ...] = ()
    match_elements: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    elements: frozenset[str] = field(init=False, repr=False)
    known: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Gathers `elements`, all that this map reads, and `known`, those and the ignored ones."""
        named = {name for name in (self.identifier_element, self.name_element, self.former_name_element) if name}
        elements = frozenset[str]().union(
            *(part.elements for part in self.parts), named, self.distinguishing_elements, self.match_elements
        )
        object.__setattr__(self, "elements", elements)
        object.__setattr__(self, "known", elements.union(self.ignore))

    def read(self, row: Mapping[str, Any]) -> tuple[tuple[RecordWithOrigins, ...], tuple[str, ...]]:
        """
        Returns the holdings of a row and its drift (paths of unknown leaves).  Raises `AnswerUnreadable`.
        """
        if self.complete and (left_out := sorted(self.elements - row.keys())):
            raise AnswerUnreadable(Reason.MISSING_LEAF, at=left_out[0])
        holdings = tuple(
            _read_part(part, row)
            for part in self.parts
            # The condition first: its code is read, and must be listed, even where there is nothing to yield.
            if _holds(part.condition, row) and (part.when is None or is_present(row.get(part.when)))
        )
        return holdings, tuple(sorted(row.keys() - self.known))


def _read_part(part: Part, row: Mapping[str, Any]) -> RecordWithOrigins:
    values: dict[str, Any] = dict(part.fixed)
    origins: dict[str, FieldOrigin] = {}
    for take in part.takes:
        if take.field in origins or not _holds(take.condition, row):
            continue
        raw = row.get(take.at)
        if is_present(raw):
            value = _read_element(take.via, raw, take.field, take.at)
            if value is not None:
                values[take.field] = value
                origins[take.field] = FieldOrigin(path=take.at, raw=raw)
        elif take.required:
            raise AnswerUnreadable(Reason.MISSING_LEAF, field=take.field, at=take.at)
    return RecordWithOrigins(record=part.record(**values), origins=origins)


def _holds(given: Condition | None, row: Mapping[str, Any]) -> bool:
    if given is None:
        return True
    raw = row.get(given.at)
    return is_present(raw) and bool(_read_element(given.via, raw, None, given.at))


def _read_element(via: Callable[[Any], Any], raw: Any, name: str | None, at: str) -> Any:
    # The reader's own error may quote the leaf; it is left behind before ours is raised.
    reason = Reason.UNDECODABLE
    try:
        return via(raw)
    except UnlistedCode:
        reason = Reason.UNKNOWN_CODE
    except (ValueError, TypeError, KeyError, OverflowError):
        pass
    raise AnswerUnreadable(reason, field=name, at=at)
