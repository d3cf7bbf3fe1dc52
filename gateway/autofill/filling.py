"""
From a party's result to the fields of a form: each with its state, source, date and place in the audit log.

Nothing is guessed and nothing is chosen.  A value goes into the form if exactly one can; where sources disagree, where
there are several, or where an address is a lead only, the field stays empty and says that a person decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from gateway.access.redaction import Scopes
from gateway.autofill.states import FieldState
from gateway.autofill.templates import ADDRESS_FIELDS, KIND, RANK, FieldSource, FormField, FormTemplate
from gateway.autofill.transforms import written
from gateway.lookup.statements import comparable
from schemas.address import LadderNote, ServiceAddress
from schemas.china_time import day_in_china
from schemas.codes import AnswerState, Reason, Want
from schemas.lookup import AgencyAnswer, LookupResult
from schemas.provenance import Source, Sourced
from schemas.work_order import PartyStatement

Value = str | bool | int

# An agency's question, and the index of the audit record that tells of its answer.
Trail = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One value as it would stand in the form, and who said so.  `audit` are indexes of the lookups' outcomes."""

    value: Value = field(repr=False)
    agencies: tuple[str, ...]
    as_of: date | datetime
    audit: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledField:
    """
    One field of the form.  `value` only where the state is `filled`; `said` tells who said it, or, where a person
    decides, everything there is to choose from.  `reason` is an agency's where one could not be heard.
    """

    name: str
    state: FieldState
    required: bool
    value: Value | None = field(default=None, repr=False)
    masked: bool = False
    for_a_person: bool = False
    said: tuple[Said, ...] = ()
    reason: Reason | None = None


class _ToChoose(Exception):
    def __init__(self, state: FieldState, values: Sequence[Sourced[Any]] = ()) -> None:
        super().__init__(state.value)
        self.state = state
        self.values = values


def fill(
    form: FormTemplate,
    party: PartyStatement,
    result: LookupResult,
    *,
    scopes: Scopes,
    serves: Mapping[tuple[str, str], frozenset[Want]],
    trail: Trail,
    going_on: bool = False,
) -> tuple[FilledField, ...]:
    """
    The fields that the form has for such a party, in the order of the template.  `result` has the masks of the scopes
    already; with `going_on`, what is not there may still come.
    """
    heard = _Heard(result, serves, trail, going_on=going_on)
    found = []
    for one in form.fields:
        origin = one.origin(party.kind, party.role)
        if origin is not None:
            found.append(_field(one, origin, heard, scopes))
    return tuple(found)


def withheld(form: FormTemplate, party: PartyStatement, scopes: Scopes, filled: FilledField) -> FilledField:
    """A field as it may be shown when the right has become narrower since it was filled."""
    one = next((found for found in form.fields if found.name == filled.name), None)
    origin = None if one is None else one.origin(party.kind, party.role)
    scope = None if origin is None else scopes.get(origin.want)
    if origin is None or scope is None or origin.granted_as not in scope.fields:
        return FilledField(name=filled.name, state=FieldState.NOT_GRANTED, required=filled.required)
    mask = scope.masks.get(origin.name)
    if mask is None or filled.masked:
        return filled
    covered = tuple(replace(said, value=mask.apply(str(said.value))) for said in filled.said)
    value = None if filled.value is None else mask.apply(str(filled.value))
    return replace(filled, value=value, said=covered, masked=True)


@dataclass(frozen=True, slots=True)
class _Heard:
    result: LookupResult
    serves: Mapping[tuple[str, str], frozenset[Want]]
    trail: Trail
    going_on: bool = field(kw_only=True)

    def missing(self, want: Want) -> tuple[FieldState, Reason | None]:
        """Why there is nothing: the first of these that holds of an agency that could have said it."""
        asked = [one for one in self.result.answers if want in self.serves.get((one.agency, one.capability), ())]
        if not asked:
            return FieldState.NOT_ASKED, None
        for state, becomes in _MISSING.items():
            one = next((one for one in asked if _as_good_as(one) is state), None)
            if one is not None:
                waits = self.going_on and state is AnswerState.UNAVAILABLE
                return (FieldState.PENDING if waits else becomes), one.reason
        if all(one.state is AnswerState.NOT_ASKED for one in asked):
            return FieldState.NOT_ASKED, asked[0].reason
        return FieldState.NOT_HELD, None

    def pending(self, want: Want) -> bool:
        """Whether an answer may still come that changes what is known."""
        return self.going_on and any(
            _as_good_as(one) is AnswerState.UNAVAILABLE and want in self.serves.get((one.agency, one.capability), ())
            for one in self.result.answers
        )

    def said(self, value: Value, sources: Sequence[Source]) -> Said:
        asked = [self.result.answers[source.answer] for source in sources if source.answer is not None]
        indexes = {self.trail[key] for answer in asked if (key := (answer.agency, answer.capability)) in self.trail}
        return Said(
            value=value,
            agencies=tuple(dict.fromkeys(map(self.result.agency_of, sources))),
            as_of=max(map(self.result.as_of, sources), key=day_in_china),
            audit=tuple(sorted(indexes)),
        )


def _as_good_as(one: AgencyAnswer) -> AnswerState:
    # An agency that is closed or over its quota was not asked, and may be later.
    later = one.state is AnswerState.NOT_ASKED and one.retry_after is not None
    return AnswerState.UNAVAILABLE if later else one.state


_MISSING: Final = {
    AnswerState.AMBIGUOUS: FieldState.AMBIGUOUS,
    AnswerState.UNAVAILABLE: FieldState.UNAVAILABLE,
    AnswerState.REFUSED: FieldState.REFUSED,
}


def _field(one: FormField, origin: FieldSource, heard: _Heard, scopes: Scopes) -> FilledField:
    empty = FilledField(name=one.name, state=FieldState.NOT_GRANTED, required=one.required)
    scope = scopes.get(origin.want)
    if scope is None or origin.granted_as not in scope.fields:
        return empty
    masked = str(origin) in heard.result.masked or one.mask is not None
    today = day_in_china(heard.result.at)

    def as_written(value: object) -> Value:
        changed = value if one.transform is None else one.transform.apply(value, today)
        text = written(changed)
        return text if one.mask is None else one.mask.apply(str(text))

    state: FieldState | None = None
    choice: Sequence[Sourced[Any]] = ()
    value: Sourced[Any] | None = None
    try:
        value = _value(origin, heard.result)
    except _ToChoose as to_choose:
        state, choice = to_choose.state, to_choose.values
    if value is not None and value.alternatives:
        state, choice, value = FieldState.CONFLICT, (value,), None
    if state is not None:
        every = [(each.value, each.sources) for one_of in choice for each in (one_of, *_others(one_of))]
        said = [heard.said(as_written(other), sources) for other, sources in every]
        return replace(empty, state=state, for_a_person=True, said=tuple(said), masked=masked)
    if value is None:
        missing, reason = heard.missing(origin.want)
        return replace(empty, state=missing, reason=reason, for_a_person=missing.for_a_person)
    if origin.want is Want.ADDRESSES and heard.pending(origin.want):
        # An answer that is still to come may put another address first.
        return replace(empty, state=FieldState.PENDING)
    shown = as_written(value.value)
    return replace(empty, state=FieldState.FILLED, value=shown, masked=masked, said=(heard.said(shown, value.sources),))


def _value(origin: FieldSource, result: LookupResult) -> Sourced[Any] | None:
    if origin.want is Want.IDENTITY:
        return getattr(result.identity, origin.name, None)
    if origin.want is Want.ADDRESSES:
        return _of_the_address(origin.name, result)
    kind, _, name = origin.name.partition(".")
    entries = [one for one in result.registrations if one.kind == kind]
    values = [value for one in entries if (value := getattr(one, name)) is not None]
    if len({comparable(name, value.value) for value in values}) > 1:
        raise _ToChoose(FieldState.SEVERAL, values)
    return values[0] if values else None


def _of_the_address(name: str, result: LookupResult) -> Sourced[Any] | None:
    usable = [one for one in result.addresses if not one.lead]
    if not usable:
        if result.addresses:
            raise _ToChoose(FieldState.LEAD_ONLY, _texts(result.addresses) if name == "text" else ())
        return None
    first = usable[0]
    disputed = any(note.code is LadderNote.SOURCES_DISAGREE for note in result.ladder.notes)
    same = [one for one in usable if (one.rank, one.kind) == (first.rank, first.kind)]
    if disputed and len(same) > 1:
        raise _ToChoose(FieldState.CONFLICT, _texts(same) if name == "text" else ())
    if name in ADDRESS_FIELDS:
        return Sourced(value={RANK: first.rank, KIND: first.kind}[name], sources=first.text.sources)
    found: Sourced[Any] | None = getattr(first, name)
    return found


def _others(value: Sourced[Any]) -> list[Sourced[Any]]:
    return [Sourced(value=one.value, sources=one.sources) for one in value.alternatives]


def _texts(addresses: Sequence[ServiceAddress]) -> list[Sourced[str]]:
    return [one.text for one in addresses]


def counted(fields: Sequence[FilledField]) -> dict[str, int]:
    """How many fields there are, how many could not be had, and how many a person must look at."""
    return {
        "fields": len(fields),
        "missing": sum(one.state is not FieldState.FILLED and not one.for_a_person for one in fields),
        "for_a_person": sum(one.for_a_person for one in fields),
    }


def blank(form: FormTemplate, party: PartyStatement, state: FieldState) -> tuple[FilledField, ...]:
    """The form of a party about whom there is no answer at all."""
    return tuple(
        FilledField(name=one.name, state=state, required=one.required)
        for one in form.fields
        if one.origin(party.kind, party.role) is not None
    )
