"""
The decision, in its first form: an open work order of the caller's court, held by the caller, that names the party.

This module is the only place that permits a lookup.  The full model (kinds, grants, Cedar policies) takes its place
behind the same two functions.
"""

import unicodedata
from dataclasses import dataclass, field

from gateway.access.work_orders import Standing, WorkOrders
from gateway.sign_on import Caller
from schemas.codes import Code
from schemas.identifiers import Identifier
from schemas.work_order import PartyStatement, WorkOrderStatement

POLICY = "work-order-holder/1"


class Rule(Code):
    """
    The rules that can refuse a lookup; each says who can change that and what to do next.
    """

    NOT_HELD = (
        "work_order_not_held",
        "工单不存在，或不由您承办。请在工单系统核对工单编号；确需查询的，由组长将工单转派给您。",
        "No work order of this number is held by you. Check the number in the ticket system; "
        "if the task is yours, ask your group leader to transfer it to you.",
    )
    NOT_OPEN = (
        "work_order_not_open",
        "工单已办结或中止，不再授予查询权。确需继续查询的，由工单系统重开工单。",
        "The work order is closed or suspended and grants nothing any more. If the task goes on, "
        "have it reopened in the ticket system.",
    )
    NOT_RECORDED = (
        "work_order_not_recorded",
        "工单变更尚未记入审计日志。请由工单系统重新推送该工单。",
        "The last change of the work order is not in the audit log yet. Have the ticket system state it again.",
    )
    PARTY_NOT_NAMED = (
        "party_not_named",
        "该工单未列明此当事人。如当事人有误或遗漏，请在工单系统更正后再查询。",
        "The work order does not name this party. If a party is missing or misspelt, "
        "have it corrected in the ticket system first.",
    )
    NAME_DIFFERS = (
        "party_name_differs",
        "所填姓名或名称与工单所列当事人不一致。请核对，或不填姓名由工单带出。",
        "The name differs from the party's name in the work order. Check it, or leave it out: "
        "the work order supplies it.",
    )


class NotGranted(Exception):
    """The lookup is refused by a rule; `standing` is the work order where the caller may know of it."""

    def __init__(self, rule: Rule, standing: Standing | None = None) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule
        self.standing = standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    The right to ask about one party under a work order.  It is only as good as the last look at it.
    """

    standing: Standing
    mark: bytes = field(repr=False)
    statement: WorkOrderStatement = field(repr=False)
    party: PartyStatement = field(repr=False)
    rules: tuple[str, ...] = ("held_by_caller", "open", "recorded", "party_named")


async def grant(
    work_orders: WorkOrders, caller: Caller, name: str, identifier: Identifier, party_name: str | None
) -> Grant:
    """
    Decides whether `caller` may ask about this party now.  Raises `NotGranted`, `DatabaseUnavailable`.
    """
    mark = work_orders.mark(identifier)
    standing = await work_orders.standing(caller.court, name)
    broken = _broken_rule(standing, caller, mark)
    if standing is None or broken is not None:
        # Only its holder learns more of a work order than that it is not theirs.
        raise NotGranted(broken or Rule.NOT_HELD, None if broken is Rule.NOT_HELD else standing)
    statement = work_orders.document(standing)
    party = statement.parties[standing.parties.index(mark)]
    if party_name is not None and _folded(party_name) != _folded(party.name):
        raise NotGranted(Rule.NAME_DIFFERS, standing)
    return Grant(standing=standing, mark=mark, statement=statement, party=party)


async def still_granted(work_orders: WorkOrders, caller: Caller, given: Grant) -> Rule | None:
    """
    Looks again before release: the rule that ended the right meanwhile, or None while it lives.
    """
    standing = await work_orders.standing(caller.court, given.standing.id)
    return _broken_rule(standing, caller, given.mark)


def _broken_rule(standing: Standing | None, caller: Caller, mark: bytes) -> Rule | None:
    # Another court's work order, a colleague's and none at all look the same from outside.
    if standing is None or standing.holder != caller.user:
        return Rule.NOT_HELD
    if not standing.status.open:
        return Rule.NOT_OPEN
    if not standing.recorded:
        return Rule.NOT_RECORDED
    if mark not in standing.parties:
        return Rule.PARTY_NOT_NAMED
    return None


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
