"""
Every kind × lookup × field × role: what is released equals what the catalogue says, and nothing else.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest

from gateway.access.catalogue import Catalogue, Kind, Scope
from gateway.access.catalogue.fields import ENTRIES, FIELDS, entry_field
from gateway.access.catalogue.masks import BULLETS
from gateway.access.redaction import mask, restrict
from schemas.address import Ladder, ServiceAddress
from schemas.codes import AddressKind, IdType, SubjectKind, Want
from schemas.lookup import LookupResult, dump, load
from schemas.provenance import Alternative, Source, Sourced
from schemas.sourced import SourcedOrganization, SourcedPerson
from schemas.subject import Subject
from tests.access.test_policy import GRANTED, POLICIES, ROLES

CATALOGUE = Catalogue.load()
BUSINESS = {"assistant", "judge", "group_leader", "centre_administrator"}

SOURCE = Source(answer=0, as_of=date(2026, 3, 1), path="leaf")


def full(record: type) -> Any:
    """A record with a value in every field: its own name, where it holds text."""
    hints = get_type_hints(record)
    values: dict[str, Any] = {}
    for member in fields(record):
        kind = next(
            (
                hint.__args__[0]
                for hint in (hints[member.name], *getattr(hints[member.name], "__args__", ()))
                if getattr(hint, "__origin__", None) is Sourced
            ),
            None,
        )
        if kind is not None:
            values[member.name] = sourced(kind, member.name)
    if record is ServiceAddress:
        values |= {"rank": 5, "kind": AddressKind.HOUSEHOLD}
    elif "kind" in hints:
        values["kind"] = get_args(hints["kind"])[0]
    return record(**values)


def sourced(kind: type, name: str) -> Sourced[Any]:
    value: Any = f"{name} of a synthetic record"
    if kind is bool:
        value = True
    elif kind is date:
        value = date(2026, 3, 1)
    elif kind is not str:
        value = next(iter(kind))  # type: ignore[call-overload]
    other = (Alternative(value=value, sources=(SOURCE,)),) if kind is str else ()
    return Sourced(value=value, sources=(SOURCE,), alternatives=other)


def result(identity: type = SourcedPerson) -> LookupResult:
    """Every section with every field: more than any grant covers."""
    return LookupResult(
        id=UUID(int=1),
        at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        subject=Subject(kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number="0" * 18),
        identity=full(identity),
        addresses=(full(ServiceAddress),),
        ladder=Ladder(complete=True),
        registrations=tuple(full(record) for record in ENTRIES),
        switches=(),
        answers=(),
    )


def released(answer: LookupResult) -> Iterator[tuple[Want, str, Any, Any]]:
    """Want, field, value and first alternative of everything that an answer holds."""
    for want, records in (
        (Want.IDENTITY, (answer.identity,)),
        (Want.ADDRESSES, answer.addresses),
        (Want.REGISTRATIONS, answer.registrations),
    ):
        for record in records:
            if record is None:
                continue
            for member in fields(record):
                value = getattr(record, member.name)
                if isinstance(value, Sourced):
                    name = entry_field(type(record), member.name) if type(record) in ENTRIES else member.name
                    yield want, name, value.value, value.alternatives[0].value if value.alternatives else None


def said_by(kind: Kind, identity: type) -> dict[tuple[Want, str], str | None]:
    """What the catalogue says of a kind: the fields of this sort of party, each with its mask."""
    own = {member.name for member in fields(identity)}
    return {
        (want, name): scope.masks.get(name)
        for want, scope in kind.scopes.items()
        for name in scope.fields
        if want is not Want.IDENTITY or name in own
    }


@pytest.mark.parametrize("identity", [SourcedPerson, SourcedOrganization], ids=["person", "organization"])
@pytest.mark.parametrize("kind", CATALOGUE.kinds.values(), ids=CATALOGUE.kinds)
def test_released_fields_are_those_of_the_catalogue(kind: Kind, identity: type) -> None:
    whole = {(want, name): value for want, name, value, _ in released(result(identity))}
    answer = mask(restrict(result(identity), kind.scopes), kind.scopes)
    names = said_by(kind, identity)

    seen = {(want, name): (value, other) for want, name, value, other in released(answer)}

    assert seen.keys() == names.keys()
    for place, (value, other) in seen.items():
        if names[place] is None:
            assert value == whole[place]
        else:
            assert BULLETS in value
            assert value == other == kind.scopes[place[0]].masks[place[1]].apply(whole[place])
    sections = {want for want, _ in names}
    assert set(answer.withheld) == {f"{want}.{name}" for want, name in whole.keys() - names.keys() if want in sections}
    assert set(answer.masked) == {f"{want}.{name}" for (want, name), mask in names.items() if mask}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("want", list(Want))
@pytest.mark.parametrize("kind", CATALOGUE.kinds.values(), ids=CATALOGUE.kinds)
def test_lookups_of_the_kind_are_permitted_to_roles_that_work_on_cases(kind: Kind, want: Want, role: str) -> None:
    facts = replace(
        GRANTED,
        roles=(role,),
        wants=(want.value,),
        lookups=tuple(sorted(want.value for want in kind.scopes)),
        second_person_needed=kind.second_person,
        confirmed_by_another=True,
    )

    assert POLICIES.decide(facts).permitted is (role in BUSINESS and want in kind.scopes)


@pytest.mark.parametrize("kind", CATALOGUE.kinds.values(), ids=CATALOGUE.kinds)
def test_a_field_left_out_of_one_kind_changes_that_field_of_that_kind_alone(kind: Kind) -> None:
    for want, scope in kind.scopes.items():
        for name in sorted(scope.fields):
            fewer = dict(kind.scopes) | {want: Scope(fields=scope.fields - {name}, masks=scope.masks)}
            before = {row[:2]: row[2:] for row in released(mask(restrict(result(), kind.scopes), kind.scopes))}
            after = {row[:2]: row[2:] for row in released(mask(restrict(result(), fewer), fewer))}

            assert before.keys() - after.keys() <= {(want, name)}
            assert {place: before[place] for place in after} == after


def test_a_field_that_no_kind_names_is_never_released() -> None:
    nothing = {want: Scope(fields=frozenset()) for want in Want}

    answer = restrict(result(), nothing)

    assert list(released(answer)) == []
    assert (answer.identity, answer.addresses, answer.registrations) == (None, (), ())


def test_every_field_of_the_vocabulary_can_be_named() -> None:
    whole = {(want, name) for want, name, _, _ in (*released(result()), *released(result(SourcedOrganization)))}

    assert whole == {(want, name) for want, names in FIELDS.items() for name in names}


def test_a_masked_result_is_stored_and_read_like_any_other() -> None:
    kind = CATALOGUE.kinds["court-session-recording"]
    answer = mask(restrict(result(), kind.scopes), kind.scopes)

    assert load(dump(answer)) == answer
