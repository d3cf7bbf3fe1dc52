"""
What ought to be: who may ask what, in plain Python, without a database and without Cedar.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

COURT = {"zhao.min": "浙0803"}
BUSINESS = {"li.ting", "wang.qiang", "sun.li", "qian.wei", "zhou.yan", "zhao.min"}
SEPARATED = {"chen.jing", "admin", "feng.an"}
MOST_REFUSALS = 20

# days, questions, second person, lookups
KINDS = {
    "service-of-process": (timedelta(days=30), 20, False, {"identity", "addresses", "registrations"}),
    "hearing-notice": (timedelta(days=15), 3, False, {"identity", "addresses"}),
    "archive-check": (timedelta(days=5), 1, False, {"identity"}),
    "address-inquiry": (timedelta(days=30), 10, True, {"identity", "addresses", "registrations"}),
    "emergency": (timedelta(hours=4), 3, True, {"identity", "addresses", "registrations"}),
}


@dataclass
class PartyGrant:
    """The right about one party."""

    starts: datetime
    ends: datetime
    asked: int = 0


@dataclass
class Order:
    """A work order as its last statement has it."""

    kind: str
    holder: str
    version: int = 0
    status: str = "dispatched"
    grants: dict[str, PartyGrant] = field(default_factory=dict)
    confirmed: dict[int, str] = field(default_factory=dict)
    want: frozenset[str] | None = None

    def state(self, now: datetime, *, status: str, holder: str, parties: list[str]) -> None:
        """The next version."""
        lasts, questions, _, _ = KINDS[self.kind]
        self.version += 1
        self.status, self.holder = status, holder
        grants = {name: grant for name, grant in self.grants.items() if name in parties}
        self.grants = {name: grants.get(name) or PartyGrant(now, now + lasts) for name in parties}
        if status == "reopened":
            self.grants = {name: PartyGrant(now, now + lasts) for name in parties}
        for grant in self.grants.values():
            grant.asked = min(grant.asked, questions)


@dataclass
class Delegation:
    """Somebody stands in for somebody."""

    absent: str
    deputy: str
    starts: datetime
    ends: datetime
    ended: bool = False


@dataclass
class Refusals:
    """How often somebody guessed, and since when."""

    since: datetime
    count: int = 0


@dataclass
class Model:
    """The whole court."""

    orders: dict[str, Order] = field(default_factory=dict)
    delegations: dict[str, Delegation] = field(default_factory=dict)
    refusals: dict[str, Refusals] = field(default_factory=dict)

    def rule(self, now: datetime, user: str, name: str, party: str, wants: set[str]) -> str:
        """The rule that refuses, or an empty text; nothing is counted."""
        order = self.orders[name]
        lasts_, questions, second, lookups = KINDS[order.kind]
        assert lasts_
        grant = order.grants.get(party)
        granted = lookups if order.want is None or grant is None else lookups & order.want
        confirmer = order.confirmed.get(order.version)
        broken = {
            "separated_role": user in SEPARATED,
            "no_business_role": user not in BUSINESS,
            "refused_too_often": self._refused_too_often(now, user),
            "work_order_not_held": not self._holds(now, user, order),
            "work_order_not_open": order.status in {"suspended", "closed"},
            "grant_ended": grant is not None and now >= grant.ends,
            "second_person_missing": second and (confirmer is None or confirmer in {user, order.holder}),
            "party_not_named": grant is None,
            "lookup_not_granted": not wants <= granted,
            "questions_used_up": grant is not None and grant.asked >= questions,
        }
        return next((rule for rule, breaks in broken.items() if breaks), "")

    def count_question(self, name: str, party: str) -> None:
        """A question was permitted."""
        self.orders[name].grants[party].asked += 1

    def refused(self, now: datetime, user: str, rule: str) -> None:
        """A question was refused."""
        if rule == "party_not_named":
            refusals = self.refusals.get(user)
            if refusals is None or refusals.since <= now - timedelta(hours=1):
                refusals = self.refusals[user] = Refusals(now)
            refusals.count += 1

    def _holds(self, now: datetime, user: str, order: Order) -> bool:
        stands_in = any(
            (delegation.absent, delegation.deputy) == (order.holder, user)
            and delegation.starts <= now < delegation.ends
            and not delegation.ended
            for delegation in self.delegations.values()
        )
        return COURT.get(user, "浙0802") == "浙0802" and (order.holder == user or stands_in)

    def _refused_too_often(self, now: datetime, user: str) -> bool:
        refusals = self.refusals.get(user)
        return refusals is not None and refusals.count >= MOST_REFUSALS and refusals.since > now - timedelta(hours=1)
