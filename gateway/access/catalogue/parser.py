"""
The forms of kinds.toml and of the file in which courts restrict its kinds.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from adapters.config_file import ConfigTable, Flag, Integer, Mistake, Text, broken_rule, broken_rules, matches
from gateway.access.catalogue.fields import ADDRESS_TEXT, FIELDS, is_text
from gateway.access.catalogue.kinds import CourtOverride, Kind, Scope, Start
from gateway.access.catalogue.masks import Mask
from schemas.codes import Want

LONGEST_DAYS: Final = 366
MOST_QUESTIONS: Final = 1000

KindId = Annotated[str, matches(r"[a-z][a-z0-9-]{0,63}", "use small letters, digits and hyphens, at most 64")]


def _granted_fields(want: Want) -> AfterValidator:
    """The rule that names are fields of a lookup, or `@groups` of them; each group becomes its fields."""

    def expand(names: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        context: Any = info.context
        mistakes: list[Mistake] = []
        granted: set[str] = set()
        for name in sorted(names):
            group = context["groups"].get(name[1:]) if name.startswith("@") else [name]
            if group is None:
                mistakes.append(((), f"names the group {name}, which [fields] does not have", "add it to [fields]"))
            granted.update(group or ())
        mistakes += [_unknown(name, want) for name in sorted(granted - FIELDS[want])]
        if want is Want.ADDRESSES and granted and ADDRESS_TEXT not in granted:
            mistakes.append(((), "grants addresses without their text", f'write "{ADDRESS_TEXT}" as well'))
        return _sound(granted, mistakes)

    return AfterValidator(expand)


def _unknown(name: str, want: Want) -> Mistake:
    near = difflib.get_close_matches(name, FIELDS[want], n=1)
    return (), f"names {name}, which is no field of {want}", f"write {near[0]}" if near else "leave it out"


def _sound(names: Iterable[str], mistakes: Iterable[Mistake]) -> frozenset[str]:
    if mistakes := list(mistakes):
        raise broken_rules(mistakes)
    return frozenset(names)


def _maskable(masks: Mapping[str, Mask]) -> Mapping[str, Mask]:
    mistakes: list[Mistake] = []
    for name in masks:
        want, _, field = name.partition(".")
        if want not in list(Want) or field not in FIELDS[Want(want)]:
            mistakes.append(((), f"masks {name}, which is no field of a lookup", "correct its spelling"))
        elif not is_text(Want(want), field):
            mistakes.append(((), f"masks {name}, which is not a text", "leave the field out instead"))
    _sound((), mistakes)
    return masks


def _granted(names: Iterable[str], granted: Iterable[str], verb: str) -> None:
    """Raises unless all these fields are granted."""
    ungranted = sorted(set(names) - set(granted))
    _sound((), [((), f"{verb} {name}, which the kind does not grant", "leave it out") for name in ungranted])


Masks = Annotated[Mapping[str, Mask], AfterValidator(_maskable)]


class KindTable(ConfigTable):
    """`[kinds.<id>]`."""

    zh: Text
    en: Text
    start: Start
    trigger: Annotated[str, Field(validate_default=True)] = ""
    autofill: str = ""
    days: Annotated[Integer, Field(ge=1, le=LONGEST_DAYS)] | None = None
    hours: Annotated[Integer, Field(ge=1, le=LONGEST_DAYS * 24)] | None = Field(None, validate_default=True)
    questions: Annotated[Integer, Field(ge=1, le=MOST_QUESTIONS)]
    second_person: Flag = False
    identity: Annotated[frozenset[str], _granted_fields(Want.IDENTITY)] = frozenset()
    addresses: Annotated[frozenset[str], _granted_fields(Want.ADDRESSES)] = frozenset()
    registrations: Annotated[frozenset[str], _granted_fields(Want.REGISTRATIONS)] = frozenset()
    masks: Masks = Field(default_factory=dict)

    @field_validator("trigger")
    @classmethod
    def _of_a_machine(cls, trigger: str, info: ValidationInfo) -> str:
        if "start" in info.data and (info.data["start"] is Start.MACHINE) != bool(trigger):
            raise broken_rule("belongs to a kind that a machine starts, and to no other", "correct start or trigger")
        return trigger

    @field_validator("hours")
    @classmethod
    def _instead_of_days(cls, hours: int | None, info: ValidationInfo) -> int | None:
        if "days" in info.data and (info.data["days"] is None) == (hours is None):
            raise broken_rule("is needed without days, and excluded by it", "write days or hours")
        return hours

    @field_validator("masks")
    @classmethod
    def _of_granted_fields(cls, masks: Mapping[str, Mask], info: ValidationInfo) -> Mapping[str, Mask]:
        if set(Want) <= info.data.keys():
            _granted(masks, (f"{want}.{name}" for want in Want for name in info.data[want]), "masks")
        return masks

    def kind(self, name: str) -> Kind:
        """The kind that the table describes."""
        return Kind(
            id=name,
            zh=self.zh,
            en=self.en,
            start=self.start,
            trigger=self.trigger,
            autofill=self.autofill,
            lasts=timedelta(hours=self.hours) if self.hours else timedelta(days=self.days or 0),
            questions=self.questions,
            second_person=self.second_person,
            scopes={want: self._scope(want) for want in Want if getattr(self, want)},
        )

    def _scope(self, want: Want) -> Scope:
        prefix = f"{want}."
        masks = {name.removeprefix(prefix): mask for name, mask in self.masks.items() if name.startswith(prefix)}
        return Scope(fields=getattr(self, want), masks=masks)


class KindsFile(ConfigTable):
    """kinds.toml: the kinds, and groups of fields that they may name."""

    fields: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    kinds: Annotated[Mapping[KindId, KindTable], Field(min_length=1)]

    @field_validator("fields")
    @classmethod
    def _for_the_kinds(cls, groups: Mapping[str, tuple[str, ...]], info: ValidationInfo) -> Any:
        context: Any = info.context
        context["groups"] = groups
        return groups


def _at_most(limit: Callable[[Kind], int]) -> AfterValidator:
    def check(value: int, info: ValidationInfo) -> int:
        if value > (most := limit(_kind(info))):
            raise broken_rule("would widen the kind", f"write at most {most}")
        return value

    return AfterValidator(check)


def _kind(info: ValidationInfo) -> Kind:
    context: Any = info.context
    kind: Kind = context["kind"]
    return kind


def _fields_of(kind: Kind) -> list[str]:
    return [f"{want}.{name}" for want, scope in kind.scopes.items() for name in scope.fields]


class OverrideTable(ConfigTable):
    """`[court.<code>.<kind>]`, of which the context holds the kind."""

    days: Annotated[Integer, Field(ge=1), _at_most(lambda kind: kind.lasts.days)] | None = None
    questions: Annotated[Integer, Field(ge=1), _at_most(lambda kind: kind.questions)] | None = None
    second_person: Flag = False
    without: frozenset[str] = frozenset()
    masks: Masks = Field(default_factory=dict)

    @field_validator("second_person")
    @classmethod
    def _not_taken_away(cls, second_person: bool, info: ValidationInfo) -> bool:
        if _kind(info).second_person and not second_person:
            raise broken_rule("would widen the kind, which needs a second person", "remove it")
        return second_person

    @field_validator("without")
    @classmethod
    def _fields_of_the_kind(cls, names: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        _granted(names, _fields_of(_kind(info)), "leaves out")
        return names

    @field_validator("masks")
    @classmethod
    def _texts_of_the_kind(cls, masks: Mapping[str, Mask], info: ValidationInfo) -> Mapping[str, Mask]:
        _granted(masks, _fields_of(_kind(info)), "masks")
        return masks

    def override(self) -> CourtOverride:
        """The restriction that the table describes."""
        return CourtOverride(**dict(self))


class OverridesFile(ConfigTable):
    """The file that `SHUNIU_KINDS` names."""

    court: Mapping[str, Mapping[str, Mapping[str, Any]]] = Field(default_factory=dict)
