"""
Service flags: facts that change the way of service, each with its sources and with those that disagree.

Pure.  One source sets a flag, and it stays set when another disagrees; a person decides.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from gateway.lookup.fan_out import AgencyReply
from gateway.lookup.statements import Statement
from schemas.address import CaseFile, Ladder, ServiceAddress
from schemas.china_time import day_in_china
from schemas.codes import AddressKind, AnswerState, IdType, LifeStatus, ParticipationState, RegistrationState, Want
from schemas.comparison import comparable_text
from schemas.identifiers.days import real_day, years_between
from schemas.provenance import Source
from schemas.records import (
    AddressRecord,
    InsuranceParticipation,
    OrganizationIdentity,
    OrganizationRegistration,
    PersonIdentity,
)
from schemas.service_flag import Effect, ServiceFlag, ServiceFlagCode
from schemas.subject import Subject

_AGE: Final = 14
_WITH_BIRTH_DATE: Final = frozenset({IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT})
_GONE: Final = frozenset({RegistrationState.DEREGISTERED, RegistrationState.REVOKED_DEREGISTERED})


def party_flags(
    subject: Subject, statements: Sequence[Statement], answers: Iterable[AgencyReply], *, case: CaseFile, now: datetime
) -> tuple[ServiceFlag, ...]:
    """
    The flags that follow from the statements about the party and from the case, gravest first.
    """
    today = day_in_china(now)
    persons = [statement for statement in statements if isinstance(statement.record, PersonIdentity)]
    registrations = [statement for statement in statements if isinstance(statement.record, OrganizationRegistration)]
    flags = (
        _deceased(persons, statements),
        _ambiguous(subject, statements, answers),
        _stated_flag(ServiceFlagCode.DEREGISTERED, registrations, "state", lambda state: state in _GONE),
        _stated_flag(ServiceFlagCode.SERVING_SOLDIER, persons, "serving_soldier", lambda serving: serving),
        _case_flag(ServiceFlagCode.IN_CUSTODY, "in_custody") if case.in_custody else None,
        _case_flag(ServiceFlagCode.PARTY_ABROAD, "party_abroad") if case.party_abroad else None,
        _under_14(subject, persons, now),
        _suspended(statements, today),
        _stated_flag(ServiceFlagCode.REVOKED, registrations, "state", lambda state: state is RegistrationState.REVOKED),
        _stated_flag(ServiceFlagCode.ABNORMAL_LIST, registrations, "abnormal_list", lambda listed: listed),
    )
    return _gravest_first(flag for flag in flags if flag is not None)


def address_flags(
    subject: Subject,
    flags: tuple[ServiceFlag, ...],
    addresses: Iterable[ServiceAddress],
    ladder: Ladder,
    *,
    simplified_procedure: bool,
) -> tuple[ServiceFlag, ...]:
    """
    Adds the flags that follow from the ranked addresses: none is usable in a simplified procedure, or for a foreigner.

    An address counts as missing only when every agency has answered, or when none of them accepts the identifier.
    """
    decided = any(flag.effect in {Effect.STOP, Effect.WITHHOLD} for flag in flags)
    if decided or any(address.rank is not None for address in addresses):
        return flags
    codes = {flag.code for flag in flags}
    added = []
    if simplified_procedure and ladder.complete:
        added.append(_case_flag(ServiceFlagCode.ANNOUNCEMENT_BARRED, "simplified_procedure"))
    foreign = subject.id_type is IdType.PERMANENT_RESIDENCE and ladder.complete
    if (foreign or _has_foreign_passport(subject)) and ServiceFlagCode.PARTY_ABROAD not in codes:
        added.append(_case_flag(ServiceFlagCode.PARTY_ABROAD, "id_type"))
    return _gravest_first((*flags, *added))


def _gravest_first(flags: Iterable[ServiceFlag]) -> tuple[ServiceFlag, ...]:
    order = list(ServiceFlagCode)
    return tuple(sorted(flags, key=lambda flag: order.index(flag.code)))


def _case_flag(code: ServiceFlagCode, path: str) -> ServiceFlag:
    return ServiceFlag.from_code(code, (Source(path=path),))


def _stated_flag(
    code: ServiceFlagCode, statements: Iterable[Statement], name: str, applies: Callable[[Any], bool]
) -> ServiceFlag | None:
    """The flag of a field: set by the statements to which it `applies`, disputed by the others that have the field."""
    statements = [statement for statement in statements if name in statement.stated]
    sources = [statement.source(name) for statement in statements if applies(statement.stated[name])]
    if not sources:
        return None
    return ServiceFlag.from_code(
        code,
        _distinct(sources),
        _distinct(statement.source(name) for statement in statements if not applies(statement.stated[name])),
    )


def _distinct(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(sources))


def _deceased(persons: Iterable[Statement], statements: Iterable[Statement]) -> ServiceFlag | None:
    flag = _stated_flag(ServiceFlagCode.DECEASED, persons, "life_status", lambda status: status is LifeStatus.DECEASED)
    if flag is None:
        return None
    # An active insurance participation disputes a death.
    insured = [
        statement.source("state")
        for statement in statements
        if isinstance(statement.record, InsuranceParticipation) and statement.record.state is ParticipationState.ACTIVE
    ]
    return ServiceFlag.from_code(ServiceFlagCode.DECEASED, flag.sources, _distinct((*flag.disputed_by, *insured)))


def _ambiguous(subject: Subject, statements: Sequence[Statement], answers: Iterable[AgencyReply]) -> ServiceFlag | None:
    doubtful = [
        Source(answer=index, path="state")
        for index, answer in sorted(enumerate(answers), key=lambda item: (item[1].agency, item[1].capability.name))
        if answer.state is AnswerState.AMBIGUOUS and answer.capability.serves & {Want.IDENTITY, Want.ADDRESSES}
    ]
    identities = [
        statement for statement in statements if isinstance(statement.record, (PersonIdentity, OrganizationIdentity))
    ]
    if not _is_one_subject(subject, identities):
        doubtful.extend(statement.source(_name_field(statement)) for statement in identities)
    return ServiceFlag.from_code(ServiceFlagCode.AMBIGUOUS_IDENTITY, _distinct(doubtful)) if doubtful else None


def _name_field(statement: Statement) -> str:
    return "full_name" if isinstance(statement.record, PersonIdentity) else "name"


def _is_one_subject(subject: Subject, identities: Sequence[Statement]) -> bool:
    """
    Whether all names are connected, each with another through the name itself or a former name.

    A number alone never makes one subject out of two names.
    """
    sets = [_names(statement) for statement in identities]
    if subject.name is not None:
        sets.insert(0, {comparable_text(subject.name)})
    if not sets:
        return True
    connected, *rest = sets
    while overlapping := next((names for names in rest if names & connected), None):
        connected = connected | overlapping
        rest.remove(overlapping)
    return not rest


def _names(statement: Statement) -> set[str]:
    record = statement.record
    former = record.former_name if isinstance(record, PersonIdentity) else None
    return {comparable_text(name) for name in (getattr(record, _name_field(statement)), former) if name}


def _under_14(subject: Subject, persons: Iterable[Statement], now: datetime) -> ServiceFlag | None:
    today = day_in_china(now)
    flag = _stated_flag(ServiceFlagCode.UNDER_14, persons, "born_on", lambda born: years_between(born, today) < _AGE)
    if flag is not None:
        return flag
    born_on = _birth_in(subject)
    if born_on is None or years_between(born_on, today) >= _AGE:
        return None
    return _case_flag(ServiceFlagCode.UNDER_14, "id_number")


def _birth_in(subject: Subject) -> date | None:
    """The birth date inside the number; no holder of a 15-digit number is a child today."""
    has_date = subject.id_type in _WITH_BIRTH_DATE and len(subject.id_number) == 18
    return real_day(subject.id_number[6:14]) if has_date else None


def _suspended(statements: Iterable[Statement], today: date) -> ServiceFlag | None:
    sources = _distinct(
        statement.source(name)
        for statement in statements
        for name, until in [_suspension(statement)]
        if until is not None and until >= today
    )
    return ServiceFlag.from_code(ServiceFlagCode.SUSPENDED, sources) if sources else None


def _suspension(statement: Statement) -> tuple[str, date | None]:
    """The field that says until when business is suspended, and the day."""
    record = statement.record
    if isinstance(record, OrganizationRegistration):
        return "suspended_until", record.suspended_until
    if isinstance(record, AddressRecord) and record.kind is AddressKind.LEGAL_DOCUMENTS:
        return "valid_until", record.valid_until
    return "", None


def _has_foreign_passport(subject: Subject) -> bool:
    chinese = {"CHN", "HKG", "MAC", "TWN", "156", "344", "446", "158"}
    return subject.id_type is IdType.PASSPORT and subject.country is not None and subject.country not in chinese
