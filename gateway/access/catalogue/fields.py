"""
The fields that a lookup can release, by the names that stand in the API.  Derived from the vocabulary: a field that
is added to a record is released under no kind until the catalogue names it.
"""

from dataclasses import fields
from typing import Final, get_args, get_type_hints

from schemas.address import ServiceAddress
from schemas.codes import Want
from schemas.provenance import Sourced
from schemas.sourced import (
    SourcedInsurance,
    SourcedOrganization,
    SourcedPerson,
    SourcedPosition,
    SourcedRegistration,
)

# The types of entries, each with its kind.
ENTRIES: Final[dict[type, str]] = {
    record: get_args(get_type_hints(record)["kind"])[0]
    for record in (SourcedRegistration, SourcedPosition, SourcedInsurance)
}

# What says nothing without it: an address without its text, an entry without its kind.
ADDRESS_TEXT: Final = "text"


def _sourced(record: type) -> dict[str, type]:
    hints = get_type_hints(record)
    named = {column.name: hints[column.name] for column in fields(record)}
    return {name: kind for name, hint in named.items() if (kind := _value_of(hint)) is not None}


def _value_of(hint: object) -> type | None:
    for part in (hint, *getattr(hint, "__args__", ())):
        if getattr(part, "__origin__", None) is Sourced:
            value: type = part.__args__[0]
            return value
    return None


def entry_field(record: type, name: str) -> str:
    """The name of an entry's field in the catalogue: `position.role`."""
    return f"{ENTRIES[record]}.{name}"


_TYPES: Final[dict[Want, dict[str, type]]] = {
    Want.IDENTITY: _sourced(SourcedPerson) | _sourced(SourcedOrganization),
    Want.ADDRESSES: _sourced(ServiceAddress),
    Want.REGISTRATIONS: {
        entry_field(record, name): kind for record in ENTRIES for name, kind in _sourced(record).items()
    },
}

FIELDS: Final[dict[Want, frozenset[str]]] = {want: frozenset(types) for want, types in _TYPES.items()}


def is_text(want: Want, name: str) -> bool:
    """Whether the field holds free text, which alone can be masked."""
    return _TYPES[want][name] is str
