"""
The address ladder of 法发〔2017〕19号: which address may be used, under which rule, in which order.

    0  confirmed by the party in this case            3  given in another case, within one year
    1  agreed in the contract in dispute              4  used regularly in civil activities, within one year
    2  in the party's own papers of this case         5  household or habitual residence; registered domicile

Order: rank; inside a rank the outcome of earlier deliveries in this case, then negative signals, then an address that
stands in for the domicile while it lasts, then the newest.  A negative signal never moves an address across ranks.
What has no rank is a lead and is not dropped.

Pure: what is held, what the case knows, the switches and today's date in; addresses out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from gateway.lookup.address_ranks import DATED, HOMES, LEAD, LEADS, OFFICES, ONLY_ONE, RUNGS
from gateway.lookup.fan_out import AgencyReply
from gateway.lookup.statements import Statement, fold, with_sources
from schemas.address import (
    AddressWarning,
    CaseFile,
    Delivery,
    DeliveryOutcome,
    Ladder,
    LadderNote,
    Precondition,
    PreconditionCode,
    RefusalState,
    ServiceAddress,
)
from schemas.coded_text import remark
from schemas.codes import AddressKind, AnswerState, Want
from schemas.legal_basis import LegalBasis
from schemas.provenance import Alternative
from schemas.records import AddressRecord
from schemas.service_flag import Effect, ServiceFlag, ServiceFlagCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRules:
    """What the court may still decide: how many calendar years back ranks 3 and 4 reach, first day included."""

    years: int = 1


ONE_YEAR: Final = RankingRules()

_KINDS: Final = tuple(AddressKind)
_OUTCOMES: Final = (DeliveryOutcome.SUCCEEDED, None, DeliveryOutcome.FAILED)
_BELOW_THE_LADDER: Final = 6

_PRECONDITION: Final = {
    state: Precondition(code=PreconditionCode.REFUSAL_OR_EVASION, state=state) for state in RefusalState
}


def rank_addresses(
    statements: Iterable[Statement],
    *,
    switches: Iterable[ServiceFlag],
    case: CaseFile,
    today: date,
    rules: RankingRules = ONE_YEAR,
) -> tuple[ServiceAddress, ...]:
    """
    Ranks every address that is held, leads last; none at all while it is not settled who the party is.
    """
    statements = tuple(statements)
    circumstances = _Circumstances.from_flags(switches, statements, case, today, rules)
    if circumstances.withheld:
        return ()
    same: dict[tuple[AddressKind, str], list[Statement]] = {}
    for statement in statements:
        if isinstance(statement.record, AddressRecord):
            same.setdefault((statement.record.kind, fold(statement.record.text)), []).append(statement)
    return _side_by_side(
        sorted((_candidate(kind, stated, circumstances) for (kind, _), stated in same.items()), key=_order)
    )


def survey(
    answers: Iterable[AgencyReply],
    addresses: Sequence[ServiceAddress],
    switches: Sequence[ServiceFlag],
    wants: frozenset[Want],
) -> Ladder:
    """
    Says how far the list can be relied on.  An agency that was not heard makes it incomplete: never "no address".
    """
    if Want.ADDRESSES not in wants:
        return Ladder(complete=False, notes=(remark(LadderNote.NOT_WANTED),))
    asked = [answer for answer in answers if Want.ADDRESSES in answer.capability.serves]
    heard = {AnswerState.FOUND, AnswerState.NOT_FOUND, AnswerState.AMBIGUOUS}
    not_heard = tuple(sorted({answer.agency for answer in asked if answer.state not in heard}))
    effects = {switch.effect for switch in switches}
    withheld, stopped = Effect.WITHHOLD in effects, Effect.STOP in effects
    complete = bool(asked) and not not_heard and not withheld
    ranks = {address.rank for address in addresses}
    registered = {address.kind for address in addresses} & (HOMES | OFFICES)
    notes = {
        LadderNote.IDENTITY_AMBIGUOUS: withheld,
        LadderNote.PARTY_DECEASED: stopped,
        LadderNote.INCOMPLETE: bool(not_heard) or not asked,
        LadderNote.RANK_FIVE_MISSING: not registered and not withheld,
        LadderNote.NONE_RANKED: complete and not stopped and ranks <= {None},
        LadderNote.SOURCES_DISAGREE: any(address.text.alternatives for address in addresses),
    }
    return Ladder(
        complete=complete, not_heard=not_heard, notes=tuple(remark(note) for note, applies in notes.items() if applies)
    )


def first_day(today: date, years: int) -> date:
    """
    The first day of the period of so many calendar years that ends today; 29 February goes back to the 28th.
    """
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Circumstances:
    """
    What decides about every address alike.  The agencies of `deregistered_at` and `revoked_at` say so of the party.
    """

    case: CaseFile
    today: date
    since: date
    withheld: bool
    deceased: bool
    soldier: bool
    deregistered_at: frozenset[str]
    revoked_at: frozenset[str]

    @classmethod
    def from_flags(
        cls,
        switches: Iterable[ServiceFlag],
        statements: Iterable[Statement],
        case: CaseFile,
        today: date,
        rules: RankingRules,
    ) -> "_Circumstances":
        on = {switch.code: switch for switch in switches}
        agencies = {statement.answer: statement.agency for statement in statements}
        stated_by = {
            code: frozenset(agencies[source.answer] for source in switch.sources if source.answer in agencies)
            for code, switch in on.items()
        }
        return cls(
            case=case,
            today=today,
            since=first_day(today, rules.years),
            withheld=any(switch.effect is Effect.WITHHOLD for switch in on.values()),
            deceased=ServiceFlagCode.DECEASED in on,
            soldier=ServiceFlagCode.SERVING_SOLDIER in on,
            deregistered_at=stated_by.get(ServiceFlagCode.DEREGISTERED, frozenset()),
            revoked_at=stated_by.get(ServiceFlagCode.REVOKED, frozenset()),
        )


def _candidate(kind: AddressKind, stated: Sequence[Statement], circumstances: _Circumstances) -> ServiceAddress:
    """One address out of everything that is held about it."""
    records = [one.record for one in stated if isinstance(one.record, AddressRecord)]
    days = [record.as_of for record in records if record.as_of is not None]
    as_of = max((day for day in days if day <= circumstances.today), default=None)
    told = with_sources(stated)
    agencies = {one.agency for one in stated}
    confidential = any(one.confidential for one in stated)
    deliveries = _deliveries_to(records[0].text, circumstances.case)

    until = told.get("valid_until")
    why_lead = _why_lead(kind, as_of, until.value if until else None, agencies, circumstances)
    rung = RUNGS[kind] if why_lead is None else LEAD
    warnings = {
        AddressWarning.ABNORMAL_LIST: any(record.adverse for record in records),
        AddressWarning.DELIVERY_FAILED: _outcome(deliveries) is DeliveryOutcome.FAILED,
        AddressWarning.REVOKED: kind in OFFICES and not agencies.isdisjoint(circumstances.revoked_at),
        AddressWarning.DATE_IN_FUTURE: any(day > circumstances.today for day in days),
    }
    return ServiceAddress(
        rank=rung.rank,
        kind=kind,
        legal_basis=(*rung.legal_basis, LegalBasis.MAIL_CONFIDENTIAL) if confidential else rung.legal_basis,
        precondition=_PRECONDITION[circumstances.case.refusal] if rung.rank in {1, 2, 3, 4} else None,
        as_of=as_of,
        deliveries=deliveries,
        warnings=tuple(remark(code) for code in (why_lead, *(code for code, on in warnings.items() if on)) if code),
        confidential=confidential,
        **told,
    )


def _why_lead(
    kind: AddressKind, as_of: date | None, until: date | None, agencies: set[str], circumstances: _Circumstances
) -> AddressWarning | None:
    """Why this address has no rank, the gravest reason first; None if it has one."""
    stands_in = kind is AddressKind.LEGAL_DOCUMENTS
    reasons = {
        AddressWarning.PARTY_DECEASED: circumstances.deceased,
        AddressWarning.SERVING_SOLDIER: circumstances.soldier and kind in HOMES,
        AddressWarning.PARTY_DEREGISTERED: kind in OFFICES and agencies <= circumstances.deregistered_at,
        AddressWarning.DATE_MISSING: kind in DATED and as_of is None,
        AddressWarning.OUTSIDE_PERIOD: kind in DATED and as_of is not None and as_of < circumstances.since,
        AddressWarning.SUSPENSION_END_MISSING: stands_in and until is None,
        AddressWarning.SUSPENSION_OVER: stands_in and until is not None and until < circumstances.today,
    }
    return next((warning for warning, applies in reasons.items() if applies), LEADS.get(kind))


def _order(address: ServiceAddress) -> tuple[Any, ...]:
    """The place in the list, from what the reader sees of the address and from nothing else."""
    stands_in = address.kind is AddressKind.LEGAL_DOCUMENTS and not address.lead
    return (
        _BELOW_THE_LADDER if address.rank is None else address.rank,
        _OUTCOMES.index(_outcome(address.deliveries)),
        any(warning.code is AddressWarning.ABNORMAL_LIST for warning in address.warnings),
        not stands_in,
        -address.as_of.toordinal() if address.as_of else 0,
        _KINDS.index(address.kind),
        fold(address.text.value),
    )


def _outcome(deliveries: Sequence[Delivery]) -> DeliveryOutcome | None:
    return deliveries[-1].outcome if deliveries else None


def _deliveries_to(text: str, case: CaseFile) -> tuple[Delivery, ...]:
    """Earlier deliveries to this address, the last one last; of one day a failure counts as the last."""
    return tuple(
        sorted(
            (delivery for delivery in case.deliveries if fold(delivery.text) == fold(text)),
            key=lambda delivery: (
                delivery.on,
                delivery.outcome is DeliveryOutcome.FAILED,
                delivery.evidence,
                delivery.text,
            ),
        )
    )


def _side_by_side(addresses: Sequence[ServiceAddress]) -> tuple[ServiceAddress, ...]:
    """Of a kind that exists only once, each address names the others as alternatives."""
    shown = []
    for address in addresses:
        others = [one for one in addresses if one.kind is address.kind and one is not address]
        if address.kind in ONLY_ONE and others:
            alternatives = tuple(Alternative(value=one.text.value, sources=one.text.sources) for one in others)
            shown.append(replace(address, text=replace(address.text, alternatives=alternatives)))
        else:
            shown.append(address)
    return tuple(shown)
