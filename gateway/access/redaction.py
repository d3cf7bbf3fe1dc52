"""
Redaction of a result: exactly the fields that the grant covers, masked where it says so, even if an agency sent more.

`restrict` leaves out what the grant does not cover, before anything is stored; `mask` masks what is stored when it is
released.  Both note in the result which fields they changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
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
    # A stored result was restricted before.
    withheld = set(result.withheld)

    def restricted(record: R, want: Want) -> R:
        covered = scopes.get(want, _NOTHING).fields
        removed = {name: label for name, label, _ in _sourced(record) if label not in covered}
        if not removed:
            return record
        withheld.update(f"{want}.{label}" for label in removed.values())
        return replace(record, **dict.fromkeys(removed))  # type: ignore[type-var]

    parts = _map_records(result, restricted, {want for want in Want if scopes.get(want, _NOTHING).fields})
    return replace(result, **parts, withheld=tuple(sorted(withheld)))


def mask(result: LookupResult, scopes: Scopes) -> LookupResult:
    """The result with the masks of the scopes."""
    if not any(scope.masks for scope in scopes.values()):
        return result
    masked: set[str] = set()

    def covered(record: R, want: Want) -> R:
        masks = scopes.get(want, _NOTHING).masks
        changed = {}
        for name, label, value in _sourced(record) if masks else ():
            if label in masks:
                changed[name] = _masked(value, masks[label])
                masked.add(f"{want}.{label}")
        return replace(record, **changed) if changed else record  # type: ignore[type-var]

    return replace(result, **_map_records(result, covered, set(Want)), masked=tuple(sorted(masked)))


def _map_records(result: LookupResult, change: Any, wants: set[Want]) -> dict[str, Any]:
    """The three sections with every record changed; a section that is not wanted has none."""
    identity = None if result.identity is None or Want.IDENTITY not in wants else change(result.identity, Want.IDENTITY)
    addresses = result.addresses if Want.ADDRESSES in wants else ()
    registrations = result.registrations if Want.REGISTRATIONS in wants else ()
    return {
        "identity": identity,
        "addresses": tuple(change(address, Want.ADDRESSES) for address in addresses),
        "legal_basis": result.legal_basis if addresses else None,
        "registrations": tuple(change(entry, Want.REGISTRATIONS) for entry in registrations),
    }


def _sourced(record: Any) -> Iterator[tuple[str, str, Sourced[Any]]]:
    """The sourced fields that have a value: name, name in the catalogue, value."""
    for name, label in _labels(record.__class__):
        value = getattr(record, name)
        if isinstance(value, Sourced):
            yield name, label, value


def _masked(value: Sourced[str], mask: Mask) -> Sourced[str]:
    others = tuple(Alternative(value=mask.apply(other.value), sources=other.sources) for other in value.alternatives)
    return replace(value, value=mask.apply(value.value), alternatives=others)


@cache
def _labels(record: type) -> tuple[tuple[str, str], ...]:
    """The fields of a type of record with their names in the catalogue."""
    names = [field.name for field in fields(record)]
    return tuple((name, entry_field(record, name) if record in ENTRIES else name) for name in names)
