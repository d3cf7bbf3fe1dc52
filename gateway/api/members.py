"""
Who a caller is in the court's tree: the dependency of every route that people use by their office.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Response

from audit.format.event import Actor
from gateway.access.rules import AccessRule
from gateway.api.dependencies import Signed, TheHub
from gateway.api.problems import Problem
from gateway.organization.people import Member
from gateway.organization.roles import Role
from gateway.sign_on import Caller
from schemas.codes import Code


async def _member(caller: Signed, hub: TheHub) -> Member:
    member = await hub.members.get(caller.court, caller.user)
    if member is None:
        raise refused(AccessRule.NOT_A_MEMBER)
    return member


async def auditor(caller: Signed, hub: TheHub) -> Caller:
    """The caller, who may read the audit log by their office in the tree."""
    member = await hub.members.get(caller.court, caller.user)
    if member is None or Role.AUDIT_ADMINISTRATOR not in member.roles:
        raise Problem(
            "not-permitted",
            rule="role_missing",
            en="Only the audit administrator of a court reads its audit log. Ask that person, or have the security "
            "administrator give you the office.",
            zh="只有本院审计管理员可以查阅审计日志。请联系该管理员，或由安全管理员授予角色。",
        )
    return caller


Auditor = Annotated[Caller, Depends(auditor)]
AMember = Annotated[Member, Depends(_member)]


async def not_kept(response: Response) -> None:
    """The dependency of routes whose answers tell of people: no browser and no proxy keeps them."""
    response.headers["Cache-Control"] = "no-store"


def who(caller: Caller, member: Member) -> Actor:
    """The acting person of a record, with unit and roles from the tree and not from a token."""
    return replace(caller.actor(), unit=member.position.id, role=",".join(sorted(member.roles)))


def refused(rule: Code) -> Problem:
    """The problem that tells a refusal by a rule of ours."""
    return Problem("not-permitted", rule=rule.value, en=rule.en, zh=rule.zh)
