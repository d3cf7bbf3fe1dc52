"""
The entries of a report to a person: lookups of their data, with time, case, official and rule.

Other people in the same records are counted and never shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from audit.format.event import EventType
from audit.store.search import Hit
from schemas.codes import Code
from schemas.subject import Subject

# Records of access, or attempted access, to data about a person.  A work order that names them is none.
LOOKED: Final = (
    EventType.LOOKUP_INTENT,
    EventType.LOOKUP_DENIED,
    EventType.RESULT_READ,
    EventType.FIELD_REVEALED,
    EventType.RECORD_PRINTED,
)


class Withholding(Code):
    """A reason to withhold an entry for a time (PIPL 18, 35)."""

    SECRECY = "secrecy", "法律、行政法规规定应当保密", "A law or regulation demands secrecy"
    HINDRANCE = "hindrance", "告知将妨碍履行法定职责", "Telling would hinder a statutory duty"
    ENFORCEMENT = "enforcement", "正在进行的执行措施", "An enforcement measure is under way"
    OTHERS = "others", "涉及他人的合法权益", "Rights of other people are concerned"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldEntry:
    """The reason to withhold an entry, and the day of its next review."""

    reason: Withholding
    review_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """
    One access to the person's data.  `official` and `case_number` are personal; `others` counts the record's other
    people.

    `answers` are question and state (`public_security.identity`, `found`) in their order.
    """

    index: int
    at: datetime
    type: EventType
    court: str
    unit: str
    official: str = field(repr=False)
    user: str = field(repr=False)
    case_number: str = field(repr=False)
    kind: str
    purpose: str
    rules: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]
    released: tuple[str, ...]
    others: int
    withheld: WithheldEntry | None = None


def report_entries(hits: Iterable[Hit], subject: Subject, withheld: Mapping[int, WithheldEntry]) -> list[ReportEntry]:
    """The entries about this person, oldest first."""
    entries = [_entry(hit, subject, withheld.get(hit.index)) for hit in hits if hit.type in LOOKED]
    return sorted(entries, key=lambda entry: entry.index)


def withheld_counts(entries: Iterable[ReportEntry]) -> Mapping[WithheldEntry, int]:
    """The number of withheld entries by reason and review day."""
    counts: dict[WithheldEntry, int] = {}
    for entry in entries:
        if entry.withheld is not None:
            counts[entry.withheld] = counts.get(entry.withheld, 0) + 1
    return counts


def disclosed(entries: Iterable[ReportEntry]) -> list[ReportEntry]:
    """The entries that are disclosed to the person."""
    return [entry for entry in entries if entry.withheld is None]


def _entry(hit: Hit, subject: Subject, withheld: WithheldEntry | None) -> ReportEntry:
    leaf, end = hit.leaf, hit.outcome.leaf if hit.outcome else {}
    who, why, person = leaf.get("who", {}), leaf.get("why", {}), hit.people.get("who", {})
    parties = [hit.people.get(f"whose.{n}", {}) for n in range(len(leaf.get("whose", ())))]
    return ReportEntry(
        index=hit.index,
        at=hit.at,
        type=hit.type,
        court=who.get("court", ""),
        unit=who.get("unit", ""),
        official=person.get("name", ""),
        user=person.get("user", ""),
        case_number=hit.people.get("why", {}).get("case_number", ""),
        kind=why.get("kind", ""),
        purpose=why.get("purpose", ""),
        rules=tuple(why.get("rules", ())),
        answers=_answers(end or leaf),
        released=tuple(end.get("released", leaf.get("released", ()))),
        others=sum(party.get("id_number") != subject.id_number for party in parties),
        withheld=withheld,
    )


def _answers(leaf: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(answer["q"]), str(answer["is"])) for answer in leaf.get("heard", ()))
