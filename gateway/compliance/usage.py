"""
Usage events: a person's uses of the hub, taken from records of the log, as input of the anomaly rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from audit.format.event import EventType
from audit.store.search import Hit
from schemas.codes import SubjectKind

# Questions, views and refusals.  Sign-ins and administration are not uses of personal data.
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
    One use.  `rule` is the rule that refused it, `names` are those of its parties, `emergency` marks emergency access.
    Personal: `repr` shows no people.
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
    The uses among these records, in the order of the log, and the number of records whose user was erased.
    """
    uses: list[UsageEvent] = []
    erased = 0
    for hit in hits:
        emergency = (
            hit.leaf.get("detail", {}).get("exception") == "break_glass" and hit.leaf.get("outcome") == "dispatched"
        )
        if hit.type not in USE_EVENTS or (hit.type is EventType.WORK_ORDER_CHANGED and not emergency):
            continue
        who, clear = hit.people.get("who", {}), hit.leaf.get("who", {})
        if "user" not in who:
            # Counted calls of unrecognised callers have no commitment: they were never known.
            erased += "c" in clear
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
    return sorted(uses, key=lambda use: use.index), erased


def _persons(hit: Hit) -> tuple[str, ...]:
    names = [
        (party, hit.people.get(f"whose.{n}", {}).get("name", "")) for n, party in enumerate(hit.leaf.get("whose", ()))
    ]
    return tuple(name for party, name in names if name and party.get("kind") == SubjectKind.PERSON)
