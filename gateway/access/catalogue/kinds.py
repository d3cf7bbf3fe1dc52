"""
A kind of work order with the fields that its task needs, and the overrides by which a court restricts it.

An override never widens: it shortens, lowers, leaves fields out, masks, or requires a second person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Final

from gateway.access.catalogue.masks import Mask
from schemas.codes import Code, Want

EMERGENCY: Final = "emergency"


class Start(Code):
    """How a work order of a kind is started."""

    HAND = "hand", "人工发起", "Started by hand"
    MACHINE = "machine", "自动触发", "Triggered automatically"
    EXCEPTION = "exception", "应急查询", "An exception, by two people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The fields that one lookup releases, and their masks."""

    fields: frozenset[str]
    masks: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtOverride:
    """A court's restriction of a kind.  None and empty: as in the catalogue."""

    days: int | None = None
    questions: int | None = None
    second_person: bool = False
    without: frozenset[str] = frozenset()
    masks: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """
    One kind of work order.  `lasts` from the dispatch; `questions` about each party; `trigger` is the ticket system's
    word for what starts it, empty for a kind that people start; `autofill` the form that is filled without being asked.
    """

    id: str
    zh: str
    en: str
    start: Start
    trigger: str
    lasts: timedelta
    questions: int
    second_person: bool
    scopes: Mapping[Want, Scope]
    autofill: str = ""

    @cached_property
    def lookups(self) -> tuple[str, ...]:
        """The lookups that the kind grants, sorted."""
        return tuple(sorted(want.value for want in self.scopes))

    def restricted(self, override: CourtOverride) -> "Kind":
        """The kind with the override of a court."""
        scopes = {want: _restricted(want, scope, override) for want, scope in self.scopes.items()}
        return replace(
            self,
            lasts=self.lasts if override.days is None else timedelta(days=override.days),
            questions=self.questions if override.questions is None else override.questions,
            second_person=self.second_person or override.second_person,
            scopes={want: scope for want, scope in scopes.items() if scope.fields},
        )


def _restricted(want: Want, scope: Scope, override: CourtOverride) -> Scope:
    left = frozenset(name for name in scope.fields if f"{want}.{name}" not in override.without)
    added = {name: mask for name in left if (mask := override.masks.get(f"{want}.{name}")) is not None}
    return Scope(fields=left, masks={name: mask for name, mask in scope.masks.items() if name in left} | added)
