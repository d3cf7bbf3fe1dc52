"""
An explanation of the access decision about a lookup, before it is made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from fastapi import APIRouter, Depends

from gateway.access.authorization import AccessDenied
from gateway.access.rules import AccessRule
from gateway.api.dependencies import Signed, TheHub, json_body
from gateway.api.problems import documented
from gateway.lookup import audit_events
from schemas.identifiers import parse
from schemas.lookup import LookupRequest

router = APIRouter(prefix="/v1/access", tags=["access"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """One rule, whether it refuses this lookup, and who can change that."""

    rule: str
    refuses: bool
    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The decision, every rule, and the digest of the policies and the catalogue on which it is based."""

    permitted: bool
    rules: tuple[ExplainedRule, ...]
    policy: str
    audit: int | None


@router.post(
    "/explain",
    operation_id="explain_access",
    dependencies=[Depends(json_body)],
    responses=documented(
        "not-signed-in",
        "sign-on-unavailable",
        "audit-unavailable",
        "database-unavailable",
        "not-permitted",
        "body-too-large",
        "wrong-content-type",
        "invalid-input",
        "busy",
        "internal",
    ),
)
async def explain_access(request: LookupRequest, caller: Signed, hub: TheHub) -> Explanation:
    """
    Whether this lookup would be permitted now, and which rules refuse it.  No agency is asked and no question is
    counted; a refusal is recorded, and counted, like any other.
    """
    subject = request.subject
    identifier = parse(subject.id_type, subject.id_number, country=subject.country)
    verdict, order = await hub.authorizer.explain(caller, request.work_order, identifier, subject.name, request.want)
    audit = None
    if not verdict.permitted:
        refusal = AccessDenied(verdict.refusal, verdict.rules, order)
        at = datetime.now(UTC)
        denied = audit_events.denied(uuid4(), at, caller, request, identifier, refusal, hub.authorizer.policy)
        audit = await hub.log.append(denied)
    against = visible_rules(verdict.rules)
    rules = tuple(
        ExplainedRule(rule=rule.value, refuses=rule.value in against, en=rule.en, zh=rule.zh) for rule in AccessRule
    )
    return Explanation(permitted=verdict.permitted, rules=rules, policy=hub.authorizer.policy, audit=audit)


def visible_rules(rules: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that a caller may know: for a work order of another holder only that it is not theirs."""
    known = rules.index(AccessRule.NOT_HELD.value) + 1 if AccessRule.NOT_HELD.value in rules else len(rules)
    return rules[:known]
