"""
Form templates: the fields of the case system for some kinds of work order, and the source of each field.

A template is data (`forms/*.toml`).  It is checked when the hub starts: against the vocabulary, so that every field
exists, and against the catalogue, so that the kinds grant every field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final

from adapters.errors import ConfigurationError
from gateway.access.catalogue import Catalogue, Kind
from gateway.access.catalogue.masks import Mask
from gateway.autofill.transforms import Transform
from schemas.codes import SubjectKind, Want
from schemas.sourced import SourcedOrganization, SourcedPerson
from schemas.work_order import PartyRole

# Fields of an address that is taken into a form: its rank and its kind.  Its text grants them.
RANK: Final = "rank"
KIND: Final = "kind"
ADDRESS_FIELDS: Final = frozenset({RANK, KIND})

_PERSONS: Final = frozenset(SourcedPerson.__dataclass_fields__) - {KIND}
_ORGANIZATIONS: Final = frozenset(SourcedOrganization.__dataclass_fields__) - {KIND}


@dataclass(frozen=True, slots=True)
class FieldSource:
    """The source of a form field: a section of a lookup's result and the name of a field in it."""

    want: Want
    name: str

    def __str__(self) -> str:
        return f"{self.want.value}.{self.name}"

    @property
    def granted_as(self) -> str:
        """The field of the catalogue that grants it."""
        return "text" if self.want is Want.ADDRESSES and self.name in ADDRESS_FIELDS else self.name

    def concerns(self, kind: SubjectKind) -> bool:
        """Whether this kind of party can have such a field."""
        if self.want is Want.ADDRESSES:
            return True
        if self.want is Want.IDENTITY:
            return self.name in (_PERSONS if kind is SubjectKind.PERSON else _ORGANIZATIONS)
        return self.name.startswith("organization.") is (kind is SubjectKind.ORGANIZATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """
    One field of a form, under the case system's name.  Of several origins the first that concerns the kind of party
    counts; without `roles` every party has it.
    """

    name: str
    zh: str
    en: str
    origins: tuple[FieldSource, ...]
    roles: frozenset[PartyRole] = frozenset()
    required: bool = False
    transform: Transform | None = None
    mask: Mask | None = None

    def origin(self, kind: SubjectKind, role: PartyRole) -> FieldSource | None:
        """Its source for such a party; None for a party whose form does not have the field."""
        if self.roles and role not in self.roles:
            return None
        return next((origin for origin in self.origins if origin.concerns(kind)), None)


@dataclass(frozen=True, kw_only=True)
class FormTemplate:
    """One template.  `lasts` is the time to fill it in if the request sets no deadline."""

    id: str
    zh: str
    en: str
    kinds: tuple[str, ...]
    lasts: timedelta
    fields: tuple[FormField, ...] = field(repr=False)

    @cached_property
    def wants(self) -> frozenset[Want]:
        """The sections that are looked up for it."""
        return frozenset(origin.want for form_field in self.fields for origin in form_field.origins)


class FormTemplates:
    """
    The templates of a hub, complete and checked.
    """

    def __init__(self, forms: Mapping[str, FormTemplate]) -> None:
        self._forms = dict(forms)
        self._by_kind: dict[str, FormTemplate] = {}
        for form in self._forms.values():
            for kind in form.kinds:
                self._by_kind.setdefault(kind, form)

    def __iter__(self) -> Iterator[FormTemplate]:
        return iter(self._forms.values())

    def get(self, name: str) -> FormTemplate | None:
        """The template of this name."""
        return self._forms.get(name)

    def for_kind(self, kind: str, name: str | None = None) -> FormTemplate | None:
        """The template of a kind of work order, or the named one if it serves that kind."""
        if name is None:
            return self._by_kind.get(kind)
        form = self._forms.get(name)
        return form if form is not None and kind in form.kinds else None

    def check(self, catalogue: Catalogue) -> None:
        """
        Raises one `ConfigurationError` with every field that a kind does not grant, and every kind whose automatic form
        does not exist.
        """
        problems = [
            problem for form in self for name in form.kinds for problem in _ungranted(form, name, catalogue.kinds)
        ]
        problems += [
            f"kinds.toml: kinds.{kind.id}.autofill names the form {kind.autofill}, which is not made for it; "
            "list the kind in the form's `kinds`"
            for kind in catalogue.kinds.values()
            if kind.autofill and self.for_kind(kind.id, kind.autofill) is None
        ]
        if problems:
            raise ConfigurationError("\n".join(problems))


def _ungranted(form: FormTemplate, name: str, kinds: Mapping[str, Kind]) -> Iterator[str]:
    kind = kinds.get(name)
    if kind is None:
        yield f"form {form.id}: kinds names {name}, which the catalogue does not have; check its spelling"
        return
    for form_field in form.fields:
        for origin in form_field.origins:
            scope = kind.scopes.get(origin.want)
            if scope is None or origin.granted_as not in scope.fields:
                yield (
                    f"form {form.id}: fields.{form_field.name} wants {origin}, which the kind {name} does not grant; "
                    "leave the field out, or leave the kind out of this form"
                )
