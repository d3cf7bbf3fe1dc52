"""
Form templates: for one or more kinds of work order, which fields the case system has and where each comes from.

A template is data (`forms/*.toml`).  It is checked when the hub starts: against the vocabulary, so that it names no
field that cannot exist, and against the catalogue, so that it wants nothing that its kinds do not grant.
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

# Of an address that is taken into a form: where it stands on the ladder, and what it is.  They come with its text.
RANK: Final = "rank"
KIND: Final = "kind"
OF_AN_ADDRESS: Final = frozenset({RANK, KIND})

_PERSONS: Final = frozenset(SourcedPerson.__dataclass_fields__) - {KIND}
_ORGANIZATIONS: Final = frozenset(SourcedOrganization.__dataclass_fields__) - {KIND}


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a field comes from: a section of a lookup's result and the name of a field in it."""

    want: Want
    name: str

    def __str__(self) -> str:
        return f"{self.want.value}.{self.name}"

    @property
    def granted_as(self) -> str:
        """The field of the catalogue that grants it."""
        return "text" if self.want is Want.ADDRESSES and self.name in OF_AN_ADDRESS else self.name

    def concerns(self, kind: SubjectKind) -> bool:
        """Whether there can be such a field about this kind of party."""
        if self.want is Want.ADDRESSES:
            return True
        if self.want is Want.IDENTITY:
            return self.name in (_PERSONS if kind is SubjectKind.PERSON else _ORGANIZATIONS)
        return self.name.startswith("organization.") is (kind is SubjectKind.ORGANIZATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """
    One field of a form under the case system's name.  Of several origins the first that concerns the kind of party
    counts; `roles` empty: every party has it.
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
        """Where it comes from for such a party; None for a party whose form does not have it."""
        if self.roles and role not in self.roles:
            return None
        return next((one for one in self.origins if one.concerns(kind)), None)


@dataclass(frozen=True, kw_only=True)
class FormTemplate:
    """One template.  `lasts` is the time within which it is filled if the request sets no deadline."""

    id: str
    zh: str
    en: str
    kinds: tuple[str, ...]
    lasts: timedelta
    fields: tuple[FormField, ...] = field(repr=False)

    @cached_property
    def wants(self) -> frozenset[Want]:
        """What is looked up for it."""
        return frozenset(origin.want for one in self.fields for origin in one.origins)


class FormTemplates:
    """
    The templates of a hub.  Complete and checked when it exists.
    """

    def __init__(self, forms: Mapping[str, FormTemplate]) -> None:
        self._forms = dict(forms)
        self._of_kind: dict[str, FormTemplate] = {}
        for form in self._forms.values():
            for kind in form.kinds:
                self._of_kind.setdefault(kind, form)

    def __iter__(self) -> Iterator[FormTemplate]:
        return iter(self._forms.values())

    def get(self, name: str) -> FormTemplate | None:
        """The template of this name."""
        return self._forms.get(name)

    def for_kind(self, kind: str, name: str | None = None) -> FormTemplate | None:
        """The template of a kind of work order, or the named one if it is made for that kind."""
        if name is None:
            return self._of_kind.get(kind)
        form = self._forms.get(name)
        return form if form is not None and kind in form.kinds else None

    def check(self, catalogue: Catalogue) -> None:
        """
        Raises `ConfigurationError` that names every field which a kind of its template does not grant, and every kind
        whose automatic form does not exist.
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
    for one in form.fields:
        for origin in one.origins:
            scope = kind.scopes.get(origin.want)
            if scope is None or origin.granted_as not in scope.fields:
                yield (
                    f"form {form.id}: fields.{one.name} wants {origin}, which the kind {name} does not grant; "
                    "leave the field out, or leave the kind out of this form"
                )
