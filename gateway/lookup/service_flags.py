"""
Which switches are on: facts that change the way of service, each with who said so and who says otherwise.

Pure.  A switch goes on with one source and stays on when another disagrees; a person decides.
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

_OF_AGE: Final = 14
_TELLS_BIRTH: Final = frozenset({IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT})
_GONE: Final = frozenset({RegistrationState.DEREGISTERED, RegistrationState.REVOKED_DEREGISTERED})


def of_party(
    subject: Subject, held: Sequence[Statement], answers: Iterable[AgencyReply], *, case: CaseFile, now: datetime
) -> tuple[ServiceFlag, ...]:
    """
    The switches that follow from what is held about the party and from the case, gravest first.
    """
    today = day_in_china(now)
    persons = [one for one in held if isinstance(one.record, PersonIdentity)]
    registered = [one for one in held if isinstance(one.record, OrganizationRegistration)]
    found = (
        _deceased(persons, held),
        _ambiguous(subject, held, answers),
        _stated(ServiceFlagCode.DEREGISTERED, registered, "state", lambda state: state in _GONE),
        _stated(ServiceFlagCode.SERVING_SOLDIER, persons, "serving_soldier", lambda serving: serving),
        _of_case(ServiceFlagCode.IN_CUSTODY, "in_custody") if case.in_custody else None,
        _of_case(ServiceFlagCode.PARTY_ABROAD, "party_abroad") if case.party_abroad else None,
        _under_14(subject, persons, now),
        _suspended(held, today),
        _stated(ServiceFlagCode.REVOKED, registered, "state", lambda state: state is RegistrationState.REVOKED),
        _stated(ServiceFlagCode.ABNORMAL_LIST, registered, "abnormal_list", lambda listed: listed),
    )
    return _gravest_first(switch for switch in found if switch is not None)


def of_ladder(
    subject: Subject,
    switches: tuple[ServiceFlag, ...],
    addresses: Iterable[ServiceAddress],
    ladder: Ladder,
    *,
    simplified_procedure: bool,
) -> tuple[ServiceFlag, ...]:
    """
    Adds the switches that follow from the ladder: no usable address in a simplified procedure, or for a foreigner.

    "No address" is said only when every agency was heard, or when the identifier is one that none of them takes.
    """
    decided = any(switch.effect in {Effect.STOP, Effect.WITHHOLD} for switch in switches)
    if decided or any(address.rank is not None for address in addresses):
        return switches
    known = {switch.code for switch in switches}
    added = []
    if simplified_procedure and ladder.complete:
        added.append(_of_case(ServiceFlagCode.ANNOUNCEMENT_BARRED, "simplified_procedure"))
    foreign = subject.id_type is IdType.PERMANENT_RESIDENCE and ladder.complete
    if (foreign or _travels_on_foreign_paper(subject)) and ServiceFlagCode.PARTY_ABROAD not in known:
        added.append(_of_case(ServiceFlagCode.PARTY_ABROAD, "id_type"))
    return _gravest_first((*switches, *added))


def _gravest_first(switches: Iterable[ServiceFlag]) -> tuple[ServiceFlag, ...]:
    order = list(ServiceFlagCode)
    return tuple(sorted(switches, key=lambda switch: order.index(switch.code)))


def _of_case(code: ServiceFlagCode, path: str) -> ServiceFlag:
    return ServiceFlag.on(code, (Source(path=path),))


def _stated(
    code: ServiceFlagCode, held: Iterable[Statement], name: str, holds: Callable[[Any], bool]
) -> ServiceFlag | None:
    """The switch of a field: on by those who state what `holds`, disputed by those who state something else."""
    stating = [one for one in held if name in one.stated]
    sources = [one.source(name) for one in stating if holds(one.stated[name])]
    if not sources:
        return None
    return ServiceFlag.on(
        code,
        _each_once(sources),
        _each_once(one.source(name) for one in stating if not holds(one.stated[name])),
    )


def _each_once(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(sources))


def _deceased(persons: Iterable[Statement], held: Iterable[Statement]) -> ServiceFlag | None:
    switch = _stated(ServiceFlagCode.DECEASED, persons, "life_status", lambda status: status is LifeStatus.DECEASED)
    if switch is None:
        return None
    # The dead pay no insurance: a current one says otherwise.
    insured = [
        one.source("state")
        for one in held
        if isinstance(one.record, InsuranceParticipation) and one.record.state is ParticipationState.ACTIVE
    ]
    return ServiceFlag.on(ServiceFlagCode.DECEASED, switch.sources, _each_once((*switch.disputed_by, *insured)))


def _ambiguous(subject: Subject, held: Sequence[Statement], answers: Iterable[AgencyReply]) -> ServiceFlag | None:
    doubtful = [
        Source(answer=index, path="state")
        for index, answer in sorted(enumerate(answers), key=lambda item: (item[1].agency, item[1].capability.name))
        if answer.state is AnswerState.AMBIGUOUS and answer.capability.serves & {Want.IDENTITY, Want.ADDRESSES}
    ]
    named = [one for one in held if isinstance(one.record, (PersonIdentity, OrganizationIdentity))]
    if not _is_one_subject(subject, named):
        doubtful.extend(one.source(_name_field(one)) for one in named)
    return ServiceFlag.on(ServiceFlagCode.AMBIGUOUS_IDENTITY, _each_once(doubtful)) if doubtful else None


def _name_field(one: Statement) -> str:
    return "full_name" if isinstance(one.record, PersonIdentity) else "name"


def _is_one_subject(subject: Subject, named: Sequence[Statement]) -> bool:
    """
    Whether all names hang together, each with another through the name itself or a former name.

    A number alone never makes one subject out of two names.
    """
    sets = [_names(one) for one in named]
    if subject.name is not None:
        sets.insert(0, {comparable_text(subject.name)})
    if not sets:
        return True
    joined, *rest = sets
    while near := next((names for names in rest if names & joined), None):
        joined = joined | near
        rest.remove(near)
    return not rest


def _names(one: Statement) -> set[str]:
    record = one.record
    former = record.former_name if isinstance(record, PersonIdentity) else None
    return {comparable_text(name) for name in (getattr(record, _name_field(one)), former) if name}


def _under_14(subject: Subject, persons: Iterable[Statement], now: datetime) -> ServiceFlag | None:
    today = day_in_china(now)
    stated = _stated(ServiceFlagCode.UNDER_14, persons, "born_on", lambda born: years_between(born, today) < _OF_AGE)
    if stated is not None:
        return stated
    born_on = _birth_in(subject)
    if born_on is None or years_between(born_on, today) >= _OF_AGE:
        return None
    return _of_case(ServiceFlagCode.UNDER_14, "id_number")


def _birth_in(subject: Subject) -> date | None:
    """The birth date inside the number; one of 15 digits is of the last century and tells nothing about children."""
    tells = subject.id_type in _TELLS_BIRTH and len(subject.id_number) == 18
    return real_day(subject.id_number[6:14]) if tells else None


def _suspended(held: Iterable[Statement], today: date) -> ServiceFlag | None:
    sources = _each_once(
        one.source(name) for one in held for name, until in [_suspension(one)] if until is not None and until >= today
    )
    return ServiceFlag.on(ServiceFlagCode.SUSPENDED, sources) if sources else None


def _suspension(one: Statement) -> tuple[str, date | None]:
    """The field that says until when business is suspended, and the day."""
    record = one.record
    if isinstance(record, OrganizationRegistration):
        return "suspended_until", record.suspended_until
    if isinstance(record, AddressRecord) and record.kind is AddressKind.LEGAL_DOCUMENTS:
        return "valid_until", record.valid_until
    return "", None


def _travels_on_foreign_paper(subject: Subject) -> bool:
    chinese = {"CHN", "HKG", "MAC", "TWN", "156", "344", "446", "158"}
    return subject.id_type is IdType.PASSPORT and subject.country is not None and subject.country not in chinese
