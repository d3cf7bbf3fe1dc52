"""
A kind of work order: what its task needs, and nothing else; and the narrower mode that a court may choose.

A mode never widens: it shortens, lowers, leaves fields out, masks, or asks for a second person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final

from gateway.access.catalogue.masks import Mask
from schemas.codes import Code, Want

EMERGENCY: Final = "emergency"


class Start(Code):
    """How a work order of a kind comes into being."""

    HAND = "hand", "人工发起", "Started by hand"
    MACHINE = "machine", "自动触发", "Triggered automatically"
    EXCEPTION = "exception", "应急查询", "An exception, by two people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one lookup releases: its fields, and how some of them are masked."""

    fields: frozenset[str]
    masks: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtOverride:
    """How a court has narrowed a kind.  None and empty: as the catalogue says."""

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
        """The lookups that it grants, sorted."""
        return tuple(sorted(want.value for want in self.scopes))

    def restricted(self, mode: CourtOverride) -> "Kind":
        """The kind as a court has it."""
        return Kind(
            id=self.id,
            zh=self.zh,
            en=self.en,
            start=self.start,
            trigger=self.trigger,
            lasts=self.lasts if mode.days is None else timedelta(days=mode.days),
            questions=self.questions if mode.questions is None else mode.questions,
            second_person=self.second_person or mode.second_person,
            scopes={
                want: scope for want, whole in self.scopes.items() if (scope := _narrowed(want, whole, mode)).fields
            },
            autofill=self.autofill,
        )


def _narrowed(want: Want, scope: Scope, mode: CourtOverride) -> Scope:
    left = frozenset(name for name in scope.fields if f"{want}.{name}" not in mode.without)
    added = {name: mask for name in left if (mask := mode.masks.get(f"{want}.{name}")) is not None}
    return Scope(fields=left, masks={name: mask for name, mask in scope.masks.items() if name in left} | added)
