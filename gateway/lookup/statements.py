"""
What agencies hold, with what is needed to cite every field; and how statements about one field become one field.

Two statements are equal if they differ in blanks and character width only.  Nothing is averaged, and no statement is
lost: those that differ from the freshest stand beside it as alternatives.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, get_args

from adapters.mapping import FieldOrigin
from gateway.lookup.fan_out import AgencyReply
from schemas.address import KnownAddress
from schemas.codes import AnswerState
from schemas.provenance import Alternative, Source, Sourced
from schemas.records import AddressRecord, Record

CHINA: Final = timezone(timedelta(hours=8))

# Agency of a source that is the case itself: its work order, its forms and papers.
CASE_FILE: Final = "case_file"

# Path of a field that the adapter declares and does not read, such as a role that follows from the kind of address.
DECLARED: Final = "declared"

_WIDTH: Final = str.maketrans(
    {0xFF01 + offset: 0x21 + offset for offset in range(94)} | dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))
)
_UNFOLDED: Final = re.compile(r"[\s\uff01-\uff5e\u200b-\u200d\ufeff]")

# What an address is, since when, and a warning against it are not fields with sources of their own.
_NO_FIELDS: Final = frozenset({"kind", "as_of", "adverse"})
_FIELDS: Final = {
    record: tuple((field.name, field.default) for field in fields(record) if field.name not in _NO_FIELDS)
    for record in get_args(Record)
}


def fold(value: Any) -> Any:
    """What is compared of a value: a text without blanks and in one width, anything else as it is."""
    if type(value) is not str or _UNFOLDED.search(value) is None:
        return value
    return "".join(value.translate(_WIDTH).split())


@lru_cache(maxsize=1024)
def china_day(moment: date) -> date:
    """The day of a moment in China; a day is itself."""
    return moment.astimezone(CHINA).date() if isinstance(moment, datetime) else moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """
    One record as one agency stated it.

    `as_of` is the register's own date for it, else the moment at which the agency was heard.  `stated` has the fields
    that the agency holds: read from a leaf, or declared by the adapter.  `freshness` orders what is said about one
    field, the first to be heard first.
    """

    record: Record
    origins: Mapping[str, FieldOrigin]
    agency: str
    capability: str
    as_of: date | datetime
    reference: str | None
    stated: Mapping[str, Any]
    freshness: tuple[Any, ...]
    confidential: bool = False

    def source(self, name: str) -> Source:
        """Where this field came from."""
        origin = self.origins.get(name)
        return Source(
            agency=self.agency,
            capability=self.capability,
            as_of=self.as_of,
            path=origin.path if origin else DECLARED,
            reference=self.reference,
        )


def hold(
    record: Record,
    *,
    origins: Mapping[str, FieldOrigin],
    agency: str,
    capability: str,
    heard_at: datetime,
    reference: str | None,
    breadth: int = 1,
    confidential: bool = False,
) -> Statement:
    """
    Takes a record into the hub.  `breadth` is the number of wants that the capability serves.
    """
    as_of = (record.as_of if isinstance(record, AddressRecord) else None) or heard_at
    stated = {}
    for name, default in _FIELDS[type(record)]:
        value = getattr(record, name)
        if value is not None and (name in origins or value != default):
            stated[name] = value
    # Answers of one day are equally fresh: which of them took longer says nothing about the register.  Among them, a
    # lookup that is made for one thing is heard first on it.
    freshness = (
        -china_day(as_of).toordinal(),
        breadth,
        agency,
        capability,
        reference or "",
        isinstance(as_of, datetime),
    )
    return Statement(
        record=record,
        origins=origins,
        agency=agency,
        capability=capability,
        as_of=as_of,
        reference=reference,
        stated=stated,
        freshness=freshness,
        confidential=confidential,
    )


def held_by_agencies(answers: Iterable[AgencyReply]) -> tuple[Statement, ...]:
    """
    Every record of every agency that found one subject, whatever the order in which they answered.

    What an ambiguous answer holds may be about somebody else: it is for a clerk to choose from and never merged.
    """
    return tuple(
        hold(
            holding.record,
            origins=holding.origins,
            agency=answer.agency,
            capability=answer.capability.name,
            heard_at=answer.reading.answered_at,
            reference=answer.reading.reference,
            breadth=len(answer.capability.serves),
        )
        for answer in sorted(answers, key=lambda answer: (answer.agency, answer.capability.name))
        if answer.state is AnswerState.FOUND and answer.reading is not None
        for holding in answer.reading.holdings
    )


def held_by_case(known: Iterable[KnownAddress], now: datetime) -> tuple[Statement, ...]:
    """The addresses that the case itself supplies, cited by the number of the document."""
    return tuple(
        hold(
            address.record,
            origins={},
            agency=CASE_FILE,
            capability="addresses",
            heard_at=now,
            reference=address.evidence,
            confidential=address.confidential,
        )
        for address in known
    )


def with_sources(held: Sequence[Statement]) -> dict[str, Any]:
    """
    Every field that somebody holds, out of everything that is said about it, freshest source first.
    """
    if len(held) == 1:
        (only,) = held
        return {name: Sourced(value=value, sources=(only.source(name),)) for name, value in only.stated.items()}
    names = dict.fromkeys(name for one in held for name in one.stated)
    return {name: _side_by_side(name, held) for name in names}


def _side_by_side(name: str, held: Iterable[Statement]) -> Sourced[Any]:
    statements = [(one.freshness, one.source(name), one.stated[name]) for one in held if name in one.stated]
    statements.sort(key=lambda statement: (statement[0], statement[1].path, str(statement[2])))
    sayings: dict[Any, tuple[Any, list[Source]]] = {}
    for _, source, value in statements:
        _, sources = sayings.setdefault(fold(value), (value, []))
        if source not in sources:
            sources.append(source)
    (first, sources), *others = sayings.values()
    return Sourced(
        value=first,
        sources=tuple(sources),
        alternatives=tuple(Alternative(value=value, sources=tuple(said_by)) for value, said_by in others),
    )
