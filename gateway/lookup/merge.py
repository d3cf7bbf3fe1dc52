"""
Merging the answers of all agencies into one result: identity, registrations, ranked addresses, service flags.

Pure and independent of the order in which the agencies answer.  Only the wanted sections are filled; the flags are
always there, because they decide whether documents may be served at all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gateway.lookup.address_ranking import ONE_YEAR, RankingRules, rank_addresses, survey
from gateway.lookup.fan_out import AgencyReply
from gateway.lookup.service_flags import address_flags, party_flags
from gateway.lookup.statements import Statement, fold, stated_by_agencies, stated_by_case, with_sources
from schemas.address import NOTHING_ON_FILE, CaseFile
from schemas.china_time import day_in_china
from schemas.coded_text import coded_text
from schemas.codes import SubjectKind, Want
from schemas.comparison import comparable_text
from schemas.identifiers import IdentifierWarning
from schemas.lookup import AgencyAnswer, LookupResult, provisions
from schemas.provenance import Sourced
from schemas.records import (
    InsuranceParticipation,
    OrganizationIdentity,
    OrganizationRegistration,
    PersonIdentity,
    Position,
    Record,
)
from schemas.sourced import (
    SourcedEntry,
    SourcedIdentity,
    SourcedInsurance,
    SourcedOrganization,
    SourcedPerson,
    SourcedPosition,
    SourcedRegistration,
)
from schemas.subject import Subject

_ENTRIES: Final[dict[type[Any], type[Any]]] = {
    OrganizationRegistration: SourcedRegistration,
    Position: SourcedPosition,
    InsuranceParticipation: SourcedInsurance,
}


def merge(
    *,
    lookup_id: UUID,
    subject: Subject,
    wants: frozenset[Want],
    answers: Sequence[AgencyReply],
    now: datetime,
    warnings: Iterable[IdentifierWarning] = (),
    simplified_procedure: bool = False,
    case: CaseFile = NOTHING_ON_FILE,
    rules: RankingRules = ONE_YEAR,
) -> LookupResult:
    """
    The whole result, but for its place in the audit log.  `now` is aware; "today" is its day in China.
    """
    statements = stated_by_agencies(answers)
    flags = party_flags(subject, statements, answers, case=case, now=now)
    addresses = (
        rank_addresses(
            (*stated_by_case(case.addresses, now), *statements),
            flags=flags,
            case=case,
            today=day_in_china(now),
            rules=rules,
        )
        if Want.ADDRESSES in wants
        else ()
    )
    ladder = survey(answers, addresses, flags, wants)
    if Want.ADDRESSES in wants:
        flags = address_flags(subject, flags, addresses, ladder, simplified_procedure=simplified_procedure)
    return LookupResult(
        id=lookup_id,
        at=now,
        subject=subject,
        identity=identity(subject.kind, statements) if Want.IDENTITY in wants else None,
        addresses=addresses,
        ladder=ladder,
        legal_basis=provisions(addresses),
        registrations=registrations(statements) if Want.REGISTRATIONS in wants else (),
        switches=flags,
        answers=tuple(agency_answer(answer) for answer in answers),
        warnings=tuple(coded_text(warning) for warning in warnings),
    )


def identity(kind: SubjectKind, statements: Iterable[Statement]) -> SourcedIdentity | None:
    """Who the party is, every field with its sources; None if no agency has a record."""
    if kind is SubjectKind.PERSON:
        persons = [statement for statement in statements if isinstance(statement.record, PersonIdentity)]
        return SourcedPerson(kind="person", **with_sources(persons)) if persons else None
    organizations = [statement for statement in statements if isinstance(statement.record, OrganizationIdentity)]
    return SourcedOrganization(kind="organization", **with_sources(organizations)) if organizations else None


def registrations(statements: Iterable[Statement]) -> tuple[SourcedEntry, ...]:
    """
    What the party is registered as.  The same entry at two agencies is one with both as sources; two entries of one
    agency stay two, however alike, but for insurances that differ in their kind alone.
    """
    entries: dict[tuple[Any, ...], list[Statement]] = {}
    occurrences: Counter[tuple[Any, ...]] = Counter()
    for statement in statements:
        key = _entry_key(statement.record)
        if key is None:
            continue
        stated_at = (statement.answer, *key)
        entries.setdefault((*key, occurrences[stated_at]), []).append(statement)
        occurrences[stated_at] += 1
    by_type = sorted(entries.items(), key=lambda entry: list(_ENTRIES).index(type(entry[1][0].record)))
    merged: dict[Any, Any] = {}
    for key, same in by_type:
        entry = _ENTRIES[type(same[0].record)](kind=key[0], **with_sources(same))
        if isinstance(entry, SourcedInsurance):
            _add_insurance(merged, entry, occurrence=key[-1])
        else:
            merged[key] = entry
    return tuple(merged.values())


def _add_insurance(merged: dict[Any, Any], entry: SourcedInsurance, occurrence: int) -> None:
    """Adds a participation, or its kind of insurance to one that agrees with it in everything else."""
    insurance: Sourced[Any] | None = entry.insurance
    if insurance is None:
        raise ValueError("a participation names its insurance")
    key = (occurrence, insurance.sources, replace(entry, insurance=None))
    kinds = () if key not in merged else merged[key].insurance.value
    merged[key] = replace(entry, insurance=replace(insurance, value=(*kinds, insurance.value)))


def agency_answer(answer: AgencyReply) -> AgencyAnswer:
    """The entry of one question, with nothing in it that came from the agency but its reference number."""
    reading = answer.reading
    return AgencyAnswer(
        agency=answer.agency,
        capability=answer.capability.name,
        state=answer.state,
        reason=answer.reason,
        elapsed_ms=answer.elapsed_ms,
        as_of=reading.answered_at if reading else None,
        reference=reading.reference if reading else None,
        retry_after=answer.retry_after,
        authority=answer.authority,
        drift=len(reading.drift) if reading else 0,
        attempts=answer.evidence.attempts,
        reused_from=answer.reused_from,
    )


def _entry_key(record: Record) -> tuple[Any, ...] | None:
    """The key by which two entries are the same: the number where there is one, else the name as written."""
    if isinstance(record, OrganizationRegistration):
        return (record.kind, comparable_text(record.uscc or record.registration_number or record.name))
    if isinstance(record, Position):
        return (record.kind, comparable_text(record.uscc or record.organization), fold(record.role))
    if isinstance(record, InsuranceParticipation):
        return (record.kind, record.insurance, comparable_text(record.employer_number or record.employer or ""))
    return None
