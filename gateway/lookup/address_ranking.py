"""
Address ranking under 法发〔2017〕19号: which address may be used, under which rule, in which order.

    0  confirmed by the party in this case            3  given in another case, within one year
    1  agreed in the contract in dispute              4  used regularly in civil activities, within one year
    2  in the party's own papers of this case         5  household or habitual residence; registered domicile

Order: rank; inside a rank the outcome of earlier deliveries in this case, then negative signals, then an address that
replaces the domicile while it lasts, then the newest.  A negative signal never moves an address across ranks.  An
address without a rank is a lead and is not dropped.

Pure: statements, the case file, service flags and today's date in; addresses out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from gateway.lookup.address_ranks import ADDRESS_RANKS, DATED, HOMES, LEAD, LEADS, OFFICES, ONLY_ONE
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
from schemas.coded_text import coded_text
from schemas.codes import AddressKind, AnswerState, Want
from schemas.legal_basis import LegalBasis
from schemas.provenance import Alternative
from schemas.records import AddressRecord
from schemas.service_flag import Effect, ServiceFlag, ServiceFlagCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRules:
    """What a court may decide itself: how many calendar years ranks 3 and 4 reach back, first day included."""

    years: int = 1


ONE_YEAR: Final = RankingRules()

_KINDS: Final = tuple(AddressKind)
_OUTCOMES: Final = (DeliveryOutcome.SUCCEEDED, None, DeliveryOutcome.FAILED)
_UNRANKED: Final = 6

_PRECONDITION: Final = {
    state: Precondition(code=PreconditionCode.REFUSAL_OR_EVASION, state=state) for state in RefusalState
}


def rank_addresses(
    statements: Iterable[Statement],
    *,
    flags: Iterable[ServiceFlag],
    case: CaseFile,
    today: date,
    rules: RankingRules = ONE_YEAR,
) -> tuple[ServiceAddress, ...]:
    """
    Ranks every address, leads last; none at all while the identity of the party is ambiguous.
    """
    statements = tuple(statements)
    circumstances = _Circumstances.from_flags(flags, statements, case, today, rules)
    if circumstances.withheld:
        return ()
    by_address: dict[tuple[AddressKind, str], list[Statement]] = {}
    for statement in statements:
        if isinstance(statement.record, AddressRecord):
            by_address.setdefault((statement.record.kind, fold(statement.record.text)), []).append(statement)
    addresses = (_address(kind, stated, circumstances) for (kind, _), stated in by_address.items())
    return _with_alternatives(sorted(addresses, key=lambda address: _order(address, today)))


def survey(
    answers: Iterable[AgencyReply],
    addresses: Sequence[ServiceAddress],
    flags: Sequence[ServiceFlag],
    wants: frozenset[Want],
) -> Ladder:
    """
    How complete the list is.  An agency that did not answer makes it incomplete: that is never "no address".
    """
    if Want.ADDRESSES not in wants:
        return Ladder(complete=False, notes=(coded_text(LadderNote.NOT_WANTED),))
    answers = [answer for answer in answers if Want.ADDRESSES in answer.capability.serves]
    answered = {AnswerState.FOUND, AnswerState.NOT_FOUND, AnswerState.AMBIGUOUS}
    not_heard = tuple(sorted({answer.agency for answer in answers if answer.state not in answered}))
    effects = {flag.effect for flag in flags}
    withheld, stopped = Effect.WITHHOLD in effects, Effect.STOP in effects
    complete = bool(answers) and not not_heard and not withheld
    ranks = {address.rank for address in addresses}
    registered = {address.kind for address in addresses} & (HOMES | OFFICES)
    notes = {
        LadderNote.IDENTITY_AMBIGUOUS: withheld,
        LadderNote.PARTY_DECEASED: stopped,
        LadderNote.INCOMPLETE: bool(not_heard) or not answers,
        LadderNote.RANK_FIVE_MISSING: not registered and not withheld,
        LadderNote.NONE_RANKED: complete and not stopped and ranks <= {None},
        LadderNote.SOURCES_DISAGREE: any(address.text.alternatives for address in addresses),
    }
    return Ladder(
        complete=complete,
        not_heard=not_heard,
        notes=tuple(coded_text(note) for note, applies in notes.items() if applies),
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
    What holds for every address alike.  `deregistered_at` and `revoked_at` are the agencies that state it of the party.
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
        flags: Iterable[ServiceFlag],
        statements: Iterable[Statement],
        case: CaseFile,
        today: date,
        rules: RankingRules,
    ) -> "_Circumstances":
        by_code = {flag.code: flag for flag in flags}
        agencies = {statement.answer: statement.agency for statement in statements}
        stated_by = {
            code: frozenset(agencies[source.answer] for source in flag.sources if source.answer in agencies)
            for code, flag in by_code.items()
        }
        return cls(
            case=case,
            today=today,
            since=first_day(today, rules.years),
            withheld=any(flag.effect is Effect.WITHHOLD for flag in by_code.values()),
            deceased=ServiceFlagCode.DECEASED in by_code,
            soldier=ServiceFlagCode.SERVING_SOLDIER in by_code,
            deregistered_at=stated_by.get(ServiceFlagCode.DEREGISTERED, frozenset()),
            revoked_at=stated_by.get(ServiceFlagCode.REVOKED, frozenset()),
        )


def _address(kind: AddressKind, statements: Sequence[Statement], circumstances: _Circumstances) -> ServiceAddress:
    """One address out of all statements about it."""
    records = [statement.record for statement in statements if isinstance(statement.record, AddressRecord)]
    days = [record.as_of for record in records if record.as_of is not None]
    as_of = max((day for day in days if day <= circumstances.today), default=None)
    fields = with_sources(statements)
    agencies = {statement.agency for statement in statements}
    confidential = any(statement.confidential for statement in statements)
    deliveries = _deliveries_to(records[0].text, circumstances.case)

    until = fields.get("valid_until")
    why_lead = _why_lead(kind, as_of, until.value if until else None, agencies, circumstances)
    rank = ADDRESS_RANKS[kind] if why_lead is None else LEAD
    warnings = {
        AddressWarning.ABNORMAL_LIST: any(record.adverse for record in records),
        AddressWarning.DELIVERY_FAILED: _outcome(deliveries) is DeliveryOutcome.FAILED,
        AddressWarning.REVOKED: kind in OFFICES and not agencies.isdisjoint(circumstances.revoked_at),
        AddressWarning.DATE_IN_FUTURE: any(day > circumstances.today for day in days),
    }
    codes = [code for code in (why_lead, *(code for code, applies in warnings.items() if applies)) if code]
    return ServiceAddress(
        rank=rank.rank,
        kind=kind,
        legal_basis=(*rank.legal_basis, LegalBasis.MAIL_CONFIDENTIAL) if confidential else rank.legal_basis,
        precondition=_PRECONDITION[circumstances.case.refusal] if rank.rank in {1, 2, 3, 4} else None,
        deliveries=deliveries,
        warnings=tuple(coded_text(code) for code in codes),
        confidential=confidential,
        **fields,
    )


def _why_lead(
    kind: AddressKind, as_of: date | None, until: date | None, agencies: set[str], circumstances: _Circumstances
) -> AddressWarning | None:
    """Why this address has no rank, the gravest reason first; None if it has one."""
    replaces_domicile = kind is AddressKind.LEGAL_DOCUMENTS
    reasons = {
        AddressWarning.PARTY_DECEASED: circumstances.deceased,
        AddressWarning.SERVING_SOLDIER: circumstances.soldier and kind in HOMES,
        AddressWarning.PARTY_DEREGISTERED: kind in OFFICES and agencies <= circumstances.deregistered_at,
        AddressWarning.DATE_MISSING: kind in DATED and as_of is None,
        AddressWarning.OUTSIDE_PERIOD: kind in DATED and as_of is not None and as_of < circumstances.since,
        AddressWarning.SUSPENSION_END_MISSING: replaces_domicile and until is None,
        AddressWarning.SUSPENSION_OVER: replaces_domicile and until is not None and until < circumstances.today,
    }
    return next((warning for warning, applies in reasons.items() if applies), LEADS.get(kind))


def _order(address: ServiceAddress, today: date) -> tuple[Any, ...]:
    """The sort key of the list; it uses only what the reader sees of the address."""
    replaces_domicile = address.kind is AddressKind.LEGAL_DOCUMENTS and not address.lead
    days = (source.as_of for source in address.text.sources if source.as_of is not None)
    as_of = max((day for day in days if day <= today), default=None)
    return (
        _UNRANKED if address.rank is None else address.rank,
        _OUTCOMES.index(_outcome(address.deliveries)),
        any(warning.code is AddressWarning.ABNORMAL_LIST for warning in address.warnings),
        not replaces_domicile,
        -as_of.toordinal() if as_of else 0,
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


def _with_alternatives(addresses: Sequence[ServiceAddress]) -> tuple[ServiceAddress, ...]:
    """Of a kind that exists only once, each address names the others as alternatives."""
    result = []
    for address in addresses:
        others = [other for other in addresses if other.kind is address.kind and other is not address]
        if address.kind in ONLY_ONE and others:
            alternatives = tuple(Alternative(value=other.text.value, sources=other.text.sources) for other in others)
            result.append(replace(address, text=replace(address.text, alternatives=alternatives)))
        else:
            result.append(address)
    return tuple(result)
