"""
Properties of merging for any answers in any order.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.lookup.address_ranks import ADDRESS_RANKS
from gateway.lookup.fan_out import AgencyReply
from gateway.lookup.statements import comparable, fold
from schemas.address import CaseFile, Delivery, DeliveryOutcome, KnownAddress
from schemas.codes import AddressKind, AnswerState, LifeStatus, Reason, RegistrationState
from schemas.lookup import LookupResult, dump, load
from schemas.provenance import Sourced
from schemas.records import AddressRecord, OrganizationIdentity, OrganizationRegistration, PersonIdentity
from schemas.service_flag import Effect

TODAY = date(2026, 11, 23)
TEXTS = st.sampled_from(["示例路1号", "示例路１号", "示例街2号", "示例 街2号", "示例巷3号"])
DAYS = st.none() | st.integers(-800, 30).map(lambda days: TODAY + timedelta(days=days))

addresses = st.builds(
    AddressRecord,
    kind=st.sampled_from(AddressKind),
    text=TEXTS,
    telephone=st.none() | st.sampled_from(["0570-0000001", "0570-0000002"]),
    recipient=st.none() | st.sampled_from(["示例律师", "示例会计"]),
    as_of=DAYS,
    valid_until=DAYS,
    adverse=st.booleans(),
)
persons = st.builds(
    PersonIdentity,
    id_number=st.just("330802199003071239"),
    full_name=st.sampled_from(["柯小明", "柯　小明", "衢大力"]),
    former_name=st.none() | st.sampled_from(["柯小明", "衢大力"]),
    life_status=st.none() | st.sampled_from(LifeStatus),
    serving_soldier=st.none() | st.booleans(),
    born_on=st.none() | st.sampled_from([date(1990, 3, 7), date(2015, 1, 1)]),
)
organizations = st.builds(OrganizationIdentity, name=st.sampled_from(["衢州示例贸易有限公司", "龙游示例有限公司"]))
registrations = st.builds(
    OrganizationRegistration,
    name=st.just("衢州示例贸易有限公司"),
    state=st.sampled_from(RegistrationState),
    uscc=st.none() | st.just("91330802DEM000014A"),
    suspended_until=DAYS,
    abnormal_list=st.booleans(),
)
case_files = st.builds(
    CaseFile,
    addresses=st.lists(
        st.builds(KnownAddress, record=addresses, evidence=st.sampled_from(["D-1", "D-2"])), max_size=3
    ).map(tuple),
    deliveries=st.lists(
        st.builds(
            Delivery,
            text=TEXTS,
            on=st.sampled_from([date(2026, 10, 1), date(2026, 10, 2)]),
            outcome=st.sampled_from(DeliveryOutcome),
            evidence=st.sampled_from(["R-1", "R-2"]),
        ),
        max_size=3,
    ).map(tuple),
)


def agency_replies(records: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """State and records of one agency: one subject, several, none, or no answer."""
    return st.tuples(st.sampled_from(["found", "found", "found", "ambiguous", "not_found", "unavailable"]), records)


person_replies = st.tuples(
    agency_replies(st.lists(persons, max_size=1)),
    agency_replies(st.lists(persons | addresses, max_size=4)),
    agency_replies(st.lists(addresses, max_size=4)),
)
organization_replies = st.tuples(
    agency_replies(st.lists(organizations | registrations | addresses, max_size=5)),
    agency_replies(st.lists(organizations | registrations | addresses, max_size=5)),
)


def answers_from(scenario: Any, replies: Sequence[Any]) -> tuple[AgencyReply, ...]:
    """The answers of the agencies for this kind of subject."""
    names = {
        3: [("public_security", "identity"), ("public_security", "addresses"), ("human_resources", "participation")],
        2: [("market_regulation", "registration"), ("civil_affairs", "registration")],
    }[len(replies)]
    return tuple(
        scenario.unanswered(*name)
        if state == "unavailable"
        else scenario.answered(
            *name,
            *(records if state != "not_found" else ()),
            state=AnswerState(state),
            reason=Reason.SEVERAL_MATCHES if state == "ambiguous" else None,
        )
        for name, (state, records) in zip(names, replies, strict=True)
    )


def subject_about(scenario: Any, replies: Sequence[Any]) -> Any:
    """The subject that these replies are about."""
    return scenario.person if len(replies) == 3 else scenario.organization


def sourced_fields(value: Any) -> Iterator[Sourced[Any]]:
    """Every sourced field inside a value."""
    if isinstance(value, Sourced):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from sourced_fields(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from sourced_fields(getattr(value, field.name))


def all_values(name: str, field: Sourced[Any]) -> set[Any]:
    """Every value of a field and its alternatives, in the form that is compared."""
    return {comparable(name, shown.value) for shown in (field, *field.alternatives)}


def withheld(result: LookupResult) -> bool:
    """Whether addresses are withheld because the identity is ambiguous."""
    return any(flag.effect is Effect.WITHHOLD for flag in result.switches)


def cited(result: LookupResult) -> Any:
    """The result as JSON whose sources name agency and capability instead of the index of an answer."""
    names = [f"{answer.agency}.{answer.capability}" for answer in result.answers]

    def name_sources(value: Any) -> Any:
        if isinstance(value, list):
            return [name_sources(each) for each in value]
        if isinstance(value, dict):
            return {key: names[each] if key == "answer" else name_sources(each) for key, each in value.items()}
        return value

    return name_sources(json.loads(dump(replace(result, answers=()))))


@given(data=st.data(), replies=person_replies | organization_replies, case=case_files)
def test_result_is_independent_of_the_order_of_answers(
    scenario: Any, data: st.DataObject, replies: Any, case: CaseFile
) -> None:
    """Answers and documents in any order give the same result."""
    answers = answers_from(scenario, replies)
    subject = subject_about(scenario, replies)
    shuffled = replace(
        case,
        addresses=tuple(data.draw(st.permutations(case.addresses))),
        deliveries=tuple(data.draw(st.permutations(case.deliveries))),
    )

    first = scenario.merge(subject, *answers, case=case)
    second = scenario.merge(subject, *data.draw(st.permutations(answers)), case=shuffled)

    assert cited(first) == cited(second)


@given(data=st.data(), records=st.lists(addresses, max_size=6))
def test_ranking_is_independent_of_the_order_of_records(scenario: Any, data: st.DataObject, records: Any) -> None:
    """An agency may list its addresses in any order."""
    first = scenario.merge(scenario.person, scenario.police(*records))
    second = scenario.merge(scenario.person, scenario.police(*data.draw(st.permutations(records))))

    assert first == second


@given(data=st.data(), records=st.lists(addresses, max_size=6), case=case_files)
def test_negative_signal_never_changes_a_rank(scenario: Any, data: st.DataObject, records: Any, case: CaseFile) -> None:
    """Abnormal list and returned mail lower an address within its rank only."""
    clean = [replace(record, adverse=False) for record in records]
    tainted = [replace(record, adverse=data.draw(st.booleans())) for record in records]

    def ranks(result: LookupResult) -> dict[Any, int | None]:
        return {(address.kind, fold(address.text.value)): address.rank for address in result.addresses}

    before = scenario.merge(scenario.person, scenario.police(*clean), case=replace(case, deliveries=()))
    after = scenario.merge(scenario.person, scenario.police(*tainted), case=case)

    assert ranks(before) == ranks(after)


@given(replies=person_replies | organization_replies, case=case_files)
def test_ranks_ascend_and_leads_come_last_without_legal_basis(scenario: Any, replies: Any, case: CaseFile) -> None:
    """A lead is never shown as usable."""
    result = scenario.merge(subject_about(scenario, replies), *answers_from(scenario, replies), case=case)

    ranks = [6 if address.rank is None else address.rank for address in result.addresses]
    assert ranks == sorted(ranks)
    for address in result.addresses:
        assert address.lead is (address.rank is None)
        assert address.legal_basis == (() if address.lead else ADDRESS_RANKS[address.kind].legal_basis)
        if address.kind in ADDRESS_RANKS:
            assert address.rank in {None, ADDRESS_RANKS[address.kind].rank}
        else:
            assert address.lead


@given(replies=person_replies | organization_replies, case=case_files)
def test_every_field_and_alternative_has_a_source(scenario: Any, replies: Any, case: CaseFile) -> None:
    """And no value occurs twice in a field."""
    result = scenario.merge(subject_about(scenario, replies), *answers_from(scenario, replies), case=case)

    for field in sourced_fields(result):
        assert field.sources
        assert all(other.sources for other in field.alternatives)
        assert len({fold(shown.value) for shown in (field, *field.alternatives)}) == 1 + len(field.alternatives)


@given(replies=person_replies | organization_replies, case=case_files)
def test_no_address_is_lost_or_duplicated(scenario: Any, replies: Any, case: CaseFile) -> None:
    """Every address of every agency that found one subject, with each telephone and recipient."""
    answers = answers_from(scenario, replies)
    result = scenario.merge(subject_about(scenario, replies), *answers, case=case)

    records = [
        holding.record
        for answer in answers
        if answer.state is AnswerState.FOUND and answer.reading
        for holding in answer.reading.records
        if isinstance(holding.record, AddressRecord)
    ] + [known.record for known in case.addresses]
    by_text = {(address.kind, fold(address.text.value)): address for address in result.addresses}
    assert len(by_text) == len(result.addresses)
    if withheld(result):
        assert not by_text
        return
    assert set(by_text) == {(record.kind, fold(record.text)) for record in records}
    for record in records:
        address = by_text[record.kind, fold(record.text)]
        for name in ("telephone", "recipient", "valid_until"):
            stated = getattr(record, name)
            assert stated is None or comparable(name, stated) in all_values(name, getattr(address, name))


@given(replies=person_replies)
def test_no_conflicting_value_of_an_identity_is_lost(scenario: Any, replies: Any) -> None:
    """Every stated value is the value of its field or an alternative."""
    answers = answers_from(scenario, replies)
    result = scenario.merge(scenario.person, *answers)

    for answer in answers:
        if answer.state is not AnswerState.FOUND or answer.reading is None:
            continue
        for record in (holding.record for holding in answer.reading.records):
            if not isinstance(record, PersonIdentity):
                continue
            for field in fields(record):
                stated = getattr(record, field.name)
                shown = getattr(result.identity, field.name)
                assert stated is None or comparable(field.name, stated) in all_values(field.name, shown)


@given(replies=person_replies | organization_replies, case=case_files)
def test_stored_result_reads_back_equal(scenario: Any, replies: Any, case: CaseFile) -> None:
    """`load` is the inverse of `dump`."""
    result = scenario.merge(subject_about(scenario, replies), *answers_from(scenario, replies), case=case)

    assert load(dump(result)) == result
