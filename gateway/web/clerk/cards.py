"""
Cards of a result, one for each agency: its questions, their states, and every field that it states, with date and with
what other agencies state instead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Final

from adapters.contract import Adapter
from gateway.access.catalogue import Mask
from gateway.access.catalogue.fields import ENTRIES, entry_field
from gateway.lookup.disclosure import NUMBERS
from gateway.web.clerk.labels import ENTRY_TITLES, Words, agency_name, field_name
from schemas.china_time import day_in_china
from schemas.codes import AnswerState, Want
from schemas.lookup import AgencyAnswer, LookupResult
from schemas.provenance import CASE_FILE, Source, Sourced
from schemas.sourced import SourcedEntry

CASE_FILE_NAMES: Final = Words("本案案卷", "Case file")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """The agency of a value, and its date."""

    agency: Words
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStatement:
    """Another value of the same field, with its sources."""

    value: Any = field(repr=False)
    sources: tuple[FactSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    One field.  `masked`: the grant shows only a part; `revealable`: it is shown in full for a stated reason.
    """

    key: str
    name: Words
    value: Any = field(repr=False)
    sources: tuple[FactSource, ...]
    others: tuple[OtherStatement, ...] = ()
    masked: bool = False
    revealable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEntry:
    """One registration."""

    title: Words
    facts: tuple[Fact, ...]

    @property
    def sources(self) -> tuple[FactSource, ...]:
        """The sources of all its fields; empty if they differ, so that each field shows its own."""
        sources = {fact.sources for fact in self.facts}
        return next(iter(sources)) if len(sources) == 1 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardQuestion:
    """One question; `answer` is None until the agency has answered."""

    name: Words
    answer: AgencyAnswer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    The card of an agency.  `absent` are fields that it does not hold, `withheld` those that the grant does not cover.
    """

    agency: str
    name: Words
    questions: tuple[CardQuestion, ...]
    facts: tuple[Fact, ...] = ()
    entries: tuple[CardEntry, ...] = ()
    absent: tuple[Words, ...] = ()
    withheld: tuple[Words, ...] = ()

    @property
    def asking(self) -> bool:
        """Whether a question is still unanswered."""
        return any(question.answer is None for question in self.questions)


class Cards:
    """
    A builder of cards, with the names of the agencies and the sections that their capabilities serve.
    """

    def __init__(self, agencies: Mapping[str, Adapter]) -> None:
        self._agencies = agencies

    def agency_name(self, agency: str) -> Words:
        """The name of an agency."""
        if agency == CASE_FILE:
            return CASE_FILE_NAMES
        adapter = self._agencies.get(agency)
        return agency_name(None if adapter is None else dict(adapter.agency.names), agency)

    def build(self, questions: Iterable[tuple[str, str]], results: Sequence[LookupResult]) -> tuple[Card, ...]:
        """
        A card for each agency of the questions (agency, capability), in their order.

        `results` is the whole result, or the partial results so far.
        """
        answers = {(answer.agency, answer.capability): answer for result in results for answer in result.answers}
        capabilities: dict[str, list[str]] = {}
        for agency, capability in questions:
            capabilities.setdefault(agency, []).append(capability)
        return tuple(self._card(agency, names, answers, results) for agency, names in capabilities.items())

    def sources(self, result: LookupResult, sources: Iterable[Source]) -> tuple[FactSource, ...]:
        """The sources as a page names them, each agency and day once."""
        days = dict.fromkeys((result.agency_of(source), day_in_china(result.as_of(source))) for source in sources)
        return tuple(FactSource(agency=self.agency_name(agency), as_of=day) for agency, day in days)

    def fact(self, result: LookupResult, key: str, field: Sourced[Any], *, by: str | None = None) -> Fact:
        """One field of a result; with `by`, the value of that agency first and those of the others beside."""
        values = [(field.value, field.sources), *((other.value, other.sources) for other in field.alternatives)]
        own = next((each for each in values if by is None or _is_stated_by(by, result, each[1])), values[0])
        others = tuple(
            OtherStatement(value=value, sources=self.sources(result, sources))
            for value, sources in values
            if sources is not own[1]
        )
        hidden = key in NUMBERS and key not in result.masked
        return Fact(
            key=key,
            name=field_name(key),
            # A number is masked on the page whatever the grant covers; it is revealed once, for a reason.
            value=Mask.ENDS.apply(own[0]) if hidden else own[0],
            sources=self.sources(result, own[1]),
            others=tuple(replace(other, value=Mask.ENDS.apply(other.value)) for other in others) if hidden else others,
            masked=key in result.masked,
            revealable=hidden,
        )

    def _card(
        self,
        agency: str,
        capabilities: Sequence[str],
        answers: Mapping[tuple[str, str], AgencyAnswer],
        results: Sequence[LookupResult],
    ) -> Card:
        own_answers = [answers.get((agency, name)) for name in capabilities]
        successful = {
            answer.capability for answer in own_answers if answer is not None and answer.state is AnswerState.FOUND
        }
        facts: dict[str, Fact] = {}
        entries: list[CardEntry] = []
        absent: dict[str, None] = {}
        withheld: dict[str, None] = {}
        for result in results:
            facts |= {fact.key: fact for fact in self._identity(agency, result)}
            entries += self._entries(agency, result)
            withheld |= dict.fromkeys(result.withheld)
        if any(self._serves(agency, name, Want.IDENTITY) for name in successful):
            for result in results:
                absent |= dict.fromkeys(_absent(result))
        serves = {want for name in successful for want in Want if self._serves(agency, name, want)}
        return Card(
            agency=agency,
            name=self.agency_name(agency),
            questions=tuple(
                CardQuestion(name=self._question(agency, name), answer=answer)
                for name, answer in zip(capabilities, own_answers, strict=True)
            ),
            facts=tuple(facts.values()),
            entries=tuple(entries),
            absent=tuple(field_name(key) for key in absent if key not in facts and key not in withheld),
            withheld=tuple(field_name(key) for key in sorted(withheld) if key.partition(".")[0] in serves),
        )

    def _identity(self, agency: str, result: LookupResult) -> Iterator[Fact]:
        for key, value in sourced_fields(Want.IDENTITY, result.identity):
            if _concerns(agency, result, value):
                yield self.fact(result, key, value, by=agency)

    def _entries(self, agency: str, result: LookupResult) -> Iterator[CardEntry]:
        for entry in result.registrations:
            facts = tuple(
                self.fact(result, key, field, by=agency)
                for key, field in sourced_fields(Want.REGISTRATIONS, entry)
                if _concerns(agency, result, field)
            )
            if facts:
                yield CardEntry(title=ENTRY_TITLES[entry.kind], facts=facts)

    def _question(self, agency: str, capability: str) -> Words:
        known = {want.value: want for want in Want}
        if capability in known:
            return Words(known[capability].zh, known[capability].en)
        serves = [want for want in Want if self._serves(agency, capability, want)]
        named = Words("、".join(want.zh for want in serves), ", ".join(want.en for want in serves))
        return named if serves else Words(capability, capability)

    def _serves(self, agency: str, capability: str, want: Want) -> bool:
        adapter = self._agencies.get(agency)
        offered = None if adapter is None else adapter.capabilities.get(capability)
        return offered is not None and want in offered.serves


def sourced_fields(want: Want, record: SourcedEntry | Any | None) -> Iterator[tuple[str, Sourced[Any]]]:
    """The sourced fields of a record, by their names in the catalogue."""
    for member in () if record is None else fields(record):
        value = getattr(record, member.name)
        if isinstance(value, Sourced):
            name = entry_field(type(record), member.name) if type(record) in ENTRIES else member.name
            yield f"{want}.{name}", value


def _absent(result: LookupResult) -> Iterator[str]:
    """All fields of this kind of party, in the order of its record."""
    if result.identity is not None:
        yield from (f"{Want.IDENTITY}.{member.name}" for member in fields(result.identity) if member.name != "kind")


def _is_stated_by(agency: str, result: LookupResult, sources: Iterable[Source]) -> bool:
    return any(result.agency_of(source) == agency for source in sources)


def _concerns(agency: str, result: LookupResult, field: Sourced[Any]) -> bool:
    sources = (*field.sources, *(source for other in field.alternatives for source in other.sources))
    return _is_stated_by(agency, result, sources)
