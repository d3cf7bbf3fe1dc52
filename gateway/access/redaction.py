"""
Release: exactly the fields that the grant covers, masked where it says so, even where an agency sent more.

`restrict` leaves out what the grant does not cover, before anything is stored; `shown` masks what is stored as it is
released.  Both name what they did in the result, so that nothing is missing silently.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from gateway.access.catalogue.fields import ENTRIES, entry_field
from gateway.access.catalogue.kinds import Scope
from gateway.access.catalogue.masks import Mask
from schemas.codes import Want
from schemas.lookup import LookupResult
from schemas.provenance import Alternative, Sourced

R = TypeVar("R")

Scopes = Mapping[Want, Scope]

_NOTHING: Final = Scope(fields=frozenset())


def restrict(result: LookupResult, scopes: Scopes) -> LookupResult:
    """The result with the fields of the scopes alone."""
    # What is read again was narrowed before.
    withheld = set(result.withheld)

    def left(record: R, want: Want) -> R:
        covered = scopes.get(want, _NOTHING).fields
        out = {name: called for name, called, _ in _held(record) if called not in covered}
        if not out:
            return record
        withheld.update(f"{want}.{called}" for called in out.values())
        return replace(record, **dict.fromkeys(out))  # type: ignore[type-var]

    parts = _each(result, left, {want for want in Want if scopes.get(want, _NOTHING).fields})
    return replace(result, **parts, withheld=tuple(sorted(withheld)))


def shown(result: LookupResult, scopes: Scopes) -> LookupResult:
    """The result with the masks of the scopes."""
    if not any(scope.masks for scope in scopes.values()):
        return result
    masked: set[str] = set()

    def covered(record: R, want: Want) -> R:
        masks = scopes.get(want, _NOTHING).masks
        if not masks:
            return record
        changed = {name: _masked(value, masks[called]) for name, called, value in _held(record) if called in masks}
        masked.update(f"{want}.{called}" for name, called, _ in _held(record) if name in changed)
        return replace(record, **changed) if changed else record  # type: ignore[type-var]

    return replace(result, **_each(result, covered, set(Want)), masked=tuple(sorted(masked)))


def _each(result: LookupResult, change: Any, wants: set[Want]) -> dict[str, Any]:
    """The three sections with every record changed; a section that is not wanted has none."""
    identity = None if result.identity is None or Want.IDENTITY not in wants else change(result.identity, Want.IDENTITY)
    addresses = result.addresses if Want.ADDRESSES in wants else ()
    registrations = result.registrations if Want.REGISTRATIONS in wants else ()
    return {
        "identity": identity,
        "addresses": tuple(change(one, Want.ADDRESSES) for one in addresses),
        "registrations": tuple(change(one, Want.REGISTRATIONS) for one in registrations),
    }


def _held(record: object) -> Iterator[tuple[str, str, Sourced[Any]]]:
    """The sourced fields that a record holds: name, name in the catalogue, value."""
    called = _CALLED[type(record)]
    for name, in_catalogue in called:
        value = getattr(record, name)
        if isinstance(value, Sourced):
            yield name, in_catalogue, value


def _masked(value: Sourced[str], mask: Mask) -> Sourced[str]:
    others = tuple(Alternative(value=mask.apply(other.value), sources=other.sources) for other in value.alternatives)
    return replace(value, value=mask.apply(value.value), alternatives=others)


class _Called(dict[type, tuple[tuple[str, str], ...]]):
    """The fields of each type of record with their names in the catalogue, found once."""

    def __missing__(self, record: type) -> tuple[tuple[str, str], ...]:
        names = [one.name for one in fields(record)]
        pairs = tuple((name, entry_field(record, name) if record in ENTRIES else name) for name in names)
        self[record] = pairs
        return pairs


_CALLED: Final = _Called()
