"""
Statements of agencies and of the case file, and how several statements about one field become one field.

Names are equal by `comparable_text`; other texts are equal if they differ in blanks and character width only.  Nothing
is averaged and no statement is lost: those that differ from the freshest stand beside it as alternatives.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, get_args

from adapters.mapping import FieldOrigin
from gateway.lookup.fan_out import AgencyReply
from schemas.address import KnownAddress
from schemas.china_time import day_in_china
from schemas.codes import AnswerState
from schemas.comparison import comparable_text
from schemas.provenance import CASE_FILE, Alternative, Source, Sourced
from schemas.records import AddressRecord, Record

# Path of a field that the adapter declares and does not read, such as a role that follows from the kind of address.
DECLARED: Final = "declared"

_WIDTH: Final = str.maketrans(
    {0xFF01 + offset: 0x21 + offset for offset in range(94)} | dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))
)
_UNFOLDED: Final = re.compile(r"[\s\uff01-\uff5e\u200b-\u200d\ufeff]")

# These attributes of a record are not fields with sources of their own.
_WITHOUT_SOURCES: Final = frozenset({"kind", "as_of", "adverse"})
_FIELDS: Final = {
    record: tuple((field.name, field.default) for field in fields(record) if field.name not in _WITHOUT_SOURCES)
    for record in get_args(Record)
}


# Fields that hold the name of a person or an organization.
_NAMES: Final = frozenset(
    {"full_name", "former_name", "name", "representative", "recipient", "organization", "employer"}
)


def fold(value: Any) -> Any:
    """The form in which values are compared: text without blanks and in one width, anything else as it is."""
    if type(value) is not str or _UNFOLDED.search(value) is None:
        return value
    return "".join(value.translate(_WIDTH).split())


def comparable(name: str, value: Any) -> Any:
    """What is compared of a field's value: a name as `comparable_text`, anything else as `fold`."""
    return comparable_text(value) if name in _NAMES else fold(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """
    One record as one agency states it.

    `answer` is the index of the agency's answer, or None for the case itself, whose `document` is the number of the
    proof.  `stated` has the fields that the agency holds: read from an element, or declared by the adapter.
    `freshness` orders the statements about one field, the freshest first.
    """

    record: Record
    origins: Mapping[str, FieldOrigin]
    agency: str
    answer: int | None
    document: str | None = None
    stated: Mapping[str, Any]
    freshness: tuple[Any, ...]
    confidential: bool = False

    def source(self, name: str) -> Source:
        """Where this field came from."""
        origin = self.origins.get(name)
        return Source(
            answer=self.answer,
            path=origin.path if origin else DECLARED,
            as_of=_registered_on(self.record),
            document=self.document,
        )


def _registered_on(record: Record) -> date | None:
    return record.as_of if isinstance(record, AddressRecord) else None


def _stated(record: Record, origins: Mapping[str, FieldOrigin]) -> dict[str, Any]:
    stated = {}
    for name, default in _FIELDS[type(record)]:
        value = getattr(record, name)
        if value is not None and (name in origins or value != default):
            stated[name] = value
    return stated


def _freshness(as_of: date | datetime, breadth: int, *names: str) -> tuple[Any, ...]:
    # Answers of one day are equally fresh: how long they took says nothing about the register.  Among them, a
    # capability that serves one want precedes one that serves several.
    return (-day_in_china(as_of).toordinal(), breadth, *names, isinstance(as_of, datetime))


def stated_by_agencies(answers: Sequence[AgencyReply]) -> tuple[Statement, ...]:
    """
    Every record of every agency that found one subject, whatever the order in which they answered.

    An ambiguous answer may be about another subject: a clerk chooses from it, and it is never merged.
    """
    return tuple(
        Statement(
            record=holding.record,
            origins=holding.origins,
            agency=answer.agency,
            answer=index,
            stated=_stated(holding.record, holding.origins),
            freshness=_freshness(
                _registered_on(holding.record) or answer.reading.answered_at,
                len(answer.capability.serves),
                answer.agency,
                answer.capability.name,
                answer.reading.reference or "",
            ),
        )
        for index, answer in sorted(enumerate(answers), key=lambda item: (item[1].agency, item[1].capability.name))
        if answer.state is AnswerState.FOUND and answer.reading is not None
        for holding in answer.reading.records
    )


def stated_by_case(addresses: Iterable[KnownAddress], now: datetime) -> tuple[Statement, ...]:
    """The addresses that the case itself supplies, cited by the number of the document."""
    return tuple(
        Statement(
            record=address.record,
            origins={},
            agency=CASE_FILE,
            answer=None,
            document=address.evidence,
            stated=_stated(address.record, {}),
            freshness=_freshness(address.record.as_of or now, 1, CASE_FILE, "addresses", address.evidence),
            confidential=address.confidential,
        )
        for address in addresses
    )


def with_sources(statements: Sequence[Statement]) -> dict[str, Any]:
    """
    Every field that one of these statements has, with all its sources, the freshest first.
    """
    if len(statements) == 1:
        (only,) = statements
        return {name: Sourced(value=value, sources=(only.source(name),)) for name, value in only.stated.items()}
    names = dict.fromkeys(name for statement in statements for name in statement.stated)
    return {name: _sourced(name, statements) for name in names}


def _sourced(name: str, statements: Iterable[Statement]) -> Sourced[Any]:
    stated = [
        (statement.freshness, statement.source(name), statement.stated[name])
        for statement in statements
        if name in statement.stated
    ]
    stated.sort(key=lambda item: (item[0], item[1].path, str(item[2])))
    values: dict[Any, tuple[Any, list[Source]]] = {}
    for _, source, value in stated:
        _, sources = values.setdefault(comparable(name, value), (value, []))
        if source not in sources:
            sources.append(source)
    (freshest, sources), *others = values.values()
    return Sourced(
        value=freshest,
        sources=tuple(sources),
        alternatives=tuple(Alternative(value=value, sources=tuple(sources)) for value, sources in others),
    )
