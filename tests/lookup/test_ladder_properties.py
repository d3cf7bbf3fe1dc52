"""
What holds of every lookup, whatever the agencies say and in whatever order.
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
registered = st.builds(
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


def said(records: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What one agency says: records of one subject, of several, none, or nothing."""
    return st.tuples(st.sampled_from(["found", "found", "found", "ambiguous", "not_found", "unavailable"]), records)


of_persons = st.tuples(
    said(st.lists(persons, max_size=1)),
    said(st.lists(persons | addresses, max_size=4)),
    said(st.lists(addresses, max_size=4)),
)
of_organizations = st.tuples(
    said(st.lists(organizations | registered | addresses, max_size=5)),
    said(st.lists(organizations | registered | addresses, max_size=5)),
)


def answers_of(world: Any, sayings: Sequence[Any]) -> tuple[AgencyReply, ...]:
    """The answers of the agencies that know this kind of subject."""
    names = {
        3: [("public_security", "identity"), ("public_security", "addresses"), ("human_resources", "participation")],
        2: [("market_regulation", "registration"), ("civil_affairs", "registration")],
    }[len(sayings)]
    return tuple(
        world.not_heard(*name)
        if state == "unavailable"
        else world.heard(
            *name,
            *(records if state != "not_found" else ()),
            state=AnswerState(state),
            reason=Reason.SEVERAL_MATCHES if state == "ambiguous" else None,
        )
        for name, (state, records) in zip(names, sayings, strict=True)
    )


def subject_of(world: Any, sayings: Sequence[Any]) -> Any:
    """The subject that these sayings are about."""
    return world.person if len(sayings) == 3 else world.organization


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
    """Every value that a field shows, first or beside, in the form that is compared."""
    return {comparable(name, shown.value) for shown in (field, *field.alternatives)}


def withheld(result: LookupResult) -> bool:
    """Whether it is not settled who the party is."""
    return any(switch.effect is Effect.WITHHOLD for switch in result.switches)


def cited(result: LookupResult) -> Any:
    """A result whose sources name agency and lookup in place of the index of an answer."""
    names = [f"{answer.agency}.{answer.capability}" for answer in result.answers]

    def name_sources(value: Any) -> Any:
        if isinstance(value, list):
            return [name_sources(each) for each in value]
        if isinstance(value, dict):
            return {key: names[each] if key == "answer" else name_sources(each) for key, each in value.items()}
        return value

    return name_sources(json.loads(dump(replace(result, answers=()))))


@given(data=st.data(), sayings=of_persons | of_organizations, case=case_files)
def test_the_order_of_answers_changes_nothing(world: Any, data: st.DataObject, sayings: Any, case: CaseFile) -> None:
    """Agencies answer in any order, papers lie in any order: the same result."""
    answers = answers_of(world, sayings)
    subject = subject_of(world, sayings)
    shuffled = replace(
        case,
        addresses=tuple(data.draw(st.permutations(case.addresses))),
        deliveries=tuple(data.draw(st.permutations(case.deliveries))),
    )

    first = world.merge(subject, *answers, case=case)
    second = world.merge(subject, *data.draw(st.permutations(answers)), case=shuffled)

    assert cited(first) == cited(second)


@given(data=st.data(), records=st.lists(addresses, max_size=6))
def test_the_order_of_rows_changes_nothing_in_the_ladder(world: Any, data: st.DataObject, records: Any) -> None:
    """An agency may list its addresses as it likes."""
    first = world.merge(world.person, world.police(*records))
    second = world.merge(world.person, world.police(*data.draw(st.permutations(records))))

    assert first == second


@given(data=st.data(), records=st.lists(addresses, max_size=6), case=case_files)
def test_a_negative_signal_never_moves_an_address_across_ranks(
    world: Any, data: st.DataObject, records: Any, case: CaseFile
) -> None:
    """Abnormal list and returned mail lower inside the rank; the rank of each address stays."""
    clean = [replace(record, adverse=False) for record in records]
    tainted = [replace(record, adverse=data.draw(st.booleans())) for record in records]

    def ranks(result: LookupResult) -> dict[Any, int | None]:
        return {(one.kind, fold(one.text.value)): one.rank for one in result.addresses}

    before = world.merge(world.person, world.police(*clean), case=replace(case, deliveries=()))
    after = world.merge(world.person, world.police(*tainted), case=case)

    assert ranks(before) == ranks(after)


@given(sayings=of_persons | of_organizations, case=case_files)
def test_ranks_ascend_leads_come_last_and_no_lead_has_an_article_of_the_ladder(
    world: Any, sayings: Any, case: CaseFile
) -> None:
    """A lead is never presented as usable."""
    result = world.merge(subject_of(world, sayings), *answers_of(world, sayings), case=case)

    ranks = [6 if one.rank is None else one.rank for one in result.addresses]
    assert ranks == sorted(ranks)
    for one in result.addresses:
        assert one.lead is (one.rank is None)
        assert one.legal_basis == (() if one.lead else ADDRESS_RANKS[one.kind].legal_basis)
        assert one.rank in {None, ADDRESS_RANKS[one.kind].rank} if one.kind in ADDRESS_RANKS else one.lead


@given(sayings=of_persons | of_organizations, case=case_files)
def test_no_field_is_without_a_source(world: Any, sayings: Any, case: CaseFile) -> None:
    """Neither the value nor what stands beside it; and no value stands there twice."""
    result = world.merge(subject_of(world, sayings), *answers_of(world, sayings), case=case)

    for field in sourced_fields(result):
        assert field.sources
        assert all(other.sources for other in field.alternatives)
        assert len({fold(shown.value) for shown in (field, *field.alternatives)}) == 1 + len(field.alternatives)


@given(sayings=of_persons | of_organizations, case=case_files)
def test_no_address_that_was_said_is_lost_or_doubled(world: Any, sayings: Any, case: CaseFile) -> None:
    """Every address of every agency that found one subject, with every telephone and recipient that was told of it."""
    answers = answers_of(world, sayings)
    result = world.merge(subject_of(world, sayings), *answers, case=case)

    held = [
        holding.record
        for answer in answers
        if answer.state is AnswerState.FOUND and answer.reading
        for holding in answer.reading.records
        if isinstance(holding.record, AddressRecord)
    ] + [known.record for known in case.addresses]
    shown = {(one.kind, fold(one.text.value)): one for one in result.addresses}
    assert len(shown) == len(result.addresses)
    if withheld(result):
        assert not shown
        return
    assert set(shown) == {(record.kind, fold(record.text)) for record in held}
    for record in held:
        one = shown[record.kind, fold(record.text)]
        for name in ("telephone", "recipient", "valid_until"):
            stated = getattr(record, name)
            assert stated is None or comparable(name, stated) in all_values(name, getattr(one, name))


@given(sayings=of_persons)
def test_no_contradiction_about_a_person_is_lost(world: Any, sayings: Any) -> None:
    """Whatever an agency states of the identity is there, first or beside."""
    answers = answers_of(world, sayings)
    result = world.merge(world.person, *answers)

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


@given(sayings=of_persons | of_organizations, case=case_files)
def test_what_is_written_reads_back_equal(world: Any, sayings: Any, case: CaseFile) -> None:
    """The stored result is the result."""
    result = world.merge(subject_of(world, sayings), *answers_of(world, sayings), case=case)

    assert load(dump(result)) == result
