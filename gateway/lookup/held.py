"""
What agencies hold, with what is needed to cite every field; and how statements about one field become one field.

Two statements are equal if they differ in blanks and character width only.  Nothing is averaged, and no statement is
lost: those that differ from the freshest stand beside it as alternatives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, TypeVar, get_args

from adapters.mapping import Origin
from gateway.lookup.asking import Answer
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

_DEFAULTS: Final = {record: {field.name: field.default for field in fields(record)} for record in get_args(Record)}

T = TypeVar("T")


def fold(value: Any) -> Any:
    """What is compared of a value: a text without blanks and in one width, anything else as it is."""
    return "".join(value.translate(_WIDTH).split()) if type(value) is str else value


def china_day(moment: date) -> date:
    """The day of a moment in China; a day is itself."""
    return moment.astimezone(CHINA).date() if isinstance(moment, datetime) else moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    One record as one agency stated it.

    `as_of` is the register's own date for it, else the moment at which the agency was heard.  `breadth` is the number
    of wants that the capability serves: a lookup made for one thing is heard first on it.
    """

    record: Record
    origins: Mapping[str, Origin]
    agency: str
    capability: str
    as_of: date | datetime
    reference: str | None = None
    breadth: int = 1
    confidential: bool = False

    def states(self, name: str) -> bool:
        """Whether the agency holds this field: read from a leaf, or declared by the adapter."""
        value = getattr(self.record, name)
        return value is not None and (name in self.origins or value != _DEFAULTS[type(self.record)][name])

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


def held_by_agencies(answers: Iterable[Answer]) -> tuple[Held, ...]:
    """
    Every record of every agency that found one subject, whatever the order in which they answered.

    What an ambiguous answer holds may be about somebody else: it is for a clerk to choose from and never merged.
    """
    found = [answer for answer in answers if answer.state is AnswerState.FOUND and answer.reading is not None]
    return tuple(
        Held(
            record=holding.record,
            origins=holding.origins,
            agency=answer.agency,
            capability=answer.capability.name,
            as_of=_stated_day(holding.record) or answer.reading.answered_at,
            reference=answer.reading.reference,
            breadth=len(answer.capability.serves),
        )
        for answer in sorted(found, key=lambda answer: (answer.agency, answer.capability.name))
        if answer.reading is not None
        for holding in answer.reading.holdings
    )


def held_by_case(known: Iterable[KnownAddress], now: datetime) -> tuple[Held, ...]:
    """The addresses that the case itself supplies, cited by the number of the document."""
    return tuple(
        Held(
            record=address.record,
            origins={},
            agency=CASE_FILE,
            capability="addresses",
            as_of=_stated_day(address.record) or now,
            reference=address.evidence,
            confidential=address.confidential,
        )
        for address in known
    )


def sourced(name: str, held: Sequence[Held]) -> Sourced[Any] | None:
    """
    One field out of everything that is said about it, freshest source first; None if nobody holds it.
    """
    stating = [one for one in held if one.states(name)]
    if not stating:
        return None
    if len(stating) == 1:
        (only,) = stating
        return Sourced(value=getattr(only.record, name), sources=(only.source(name),))
    statements = [(getattr(one.record, name), one.source(name), one.breadth) for one in stating]
    statements.sort(key=_freshest_first)
    sayings: dict[Any, tuple[Any, list[Source]]] = {}
    for value, source, _ in statements:
        _, sources = sayings.setdefault(fold(value), (value, []))
        if source not in sources:
            sources.append(source)
    (first, sources), *others = sayings.values()
    return Sourced(
        value=first,
        sources=tuple(sources),
        alternatives=tuple(Alternative(value=value, sources=tuple(said_by)) for value, said_by in others),
    )


def with_sources(cls: type[T], held: Sequence[Held]) -> T:
    """Builds a record of schemas/sourced.py from the records of its namesake."""
    record: Any = cls
    return cls(**{field.name: sourced(field.name, held) for field in fields(record) if field.name != "kind"})


def _stated_day(record: Record) -> date | None:
    return record.as_of if isinstance(record, AddressRecord) else None


def _freshest_first(statement: tuple[Any, Source, int]) -> tuple[Any, ...]:
    # Answers of one day are equally fresh: which of them took longer says nothing about the register.
    value, source, breadth = statement
    day = china_day(source.as_of).toordinal()
    return (-day, breadth, source.agency, source.capability, source.path, str(value), source.reference or "")
