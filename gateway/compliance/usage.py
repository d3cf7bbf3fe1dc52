"""
What the rules of the review queue look at: somebody's uses of the hub on one day, taken from records of the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from audit.format.event import EventType
from audit.store.search import Hit
from schemas.codes import SubjectKind

# Everything that asks, sees, or is turned away.  Sign-ins and administration are not uses of people's data.
USE_EVENTS: Final = (
    EventType.LOOKUP_INTENT,
    EventType.LOOKUP_DENIED,
    EventType.RESULT_READ,
    EventType.FIELD_REVEALED,
    EventType.RECORD_PRINTED,
    EventType.WORK_ORDER_CHANGED,
    EventType.ACCESS_REFUSED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """
    One use.  `rule` is the rule that refused it, `names` are those of persons whom it was about, `emergency` says
    whether it broke the glass.  Personal: `repr` shows neither who nor whom.
    """

    index: int
    at: datetime
    type: EventType
    user: str = field(repr=False)
    name: str = field(default="", repr=False)
    unit: str = ""
    rule: str = ""
    names: tuple[str, ...] = field(default=(), repr=False)
    emergency: bool = False


def usage_events(hits: Iterable[Hit]) -> tuple[list[UsageEvent], int]:
    """
    The uses among these records, in the order of the log, and how many records could not be put down to anybody since
    their values are erased.
    """
    uses: list[UsageEvent] = []
    nobody = 0
    for hit in hits:
        emergency = (
            hit.leaf.get("detail", {}).get("exception") == "break_glass" and hit.leaf.get("outcome") == "dispatched"
        )
        if hit.type not in USE_EVENTS or (hit.type is EventType.WORK_ORDER_CHANGED and not emergency):
            continue
        who, clear = hit.people.get("who", {}), hit.leaf.get("who", {})
        if "user" not in who:
            # Counted calls of nobody who could be recognised have no commitment either: nobody was erased.
            nobody += "c" in clear
            continue
        uses.append(
            UsageEvent(
                index=hit.index,
                at=hit.at,
                type=hit.type,
                user=who["user"],
                name=who.get("name", ""),
                unit=clear.get("unit", ""),
                rule=str(hit.leaf.get("detail", {}).get("rule", "")),
                names=_persons(hit),
                emergency=emergency,
            )
        )
    return sorted(uses, key=lambda use: use.index), nobody


def _persons(hit: Hit) -> tuple[str, ...]:
    names = [
        (party, hit.people.get(f"whose.{n}", {}).get("name", "")) for n, party in enumerate(hit.leaf.get("whose", ()))
    ]
    return tuple(name for party, name in names if name and party.get("kind") == SubjectKind.PERSON)
