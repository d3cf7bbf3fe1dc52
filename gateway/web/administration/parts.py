"""
What the pages of administration share: who may enter, the pages beside each other, how refusals are told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends

from gateway.api.members import refused
from gateway.api.problems import Problem
from gateway.callbacks.receivers import CallbackRefused, NoSuchReceiver
from gateway.organization.changes import Overtaken
from gateway.organization.delegations import DelegationRefused
from gateway.organization.plan import ChangeRefused
from gateway.organization.roles import Role
from gateway.web.navigation import OF_THE_TREE
from gateway.web.page import Own, OwnPage
from schemas.codes import Code


class Sheet(Code):
    """The pages of administration."""

    TREE = "tree", "组织架构", "The court's tree"
    DEPUTIES = "deputies", "代理", "Standing in"
    KINDS = "kinds", "工单种类", "Kinds of work order"
    AGENCIES = "agencies", "外部单位", "Agencies"
    CALLBACKS = "callbacks", "回调", "Callbacks"
    HEALTH = "health", "日志与密钥", "Log and keys"


@dataclass(frozen=True, slots=True)
class Beside:
    """A page beside this one."""

    sheet: Sheet
    address: str


_FOR: Final = {Sheet.CALLBACKS: frozenset({Role.SYSTEM_ADMINISTRATOR}), Sheet.DEPUTIES: frozenset({Role.GROUP_LEADER})}


def beside(page: OwnPage) -> list[Beside]:
    """The pages that the reader may enter."""
    mine = [sheet for sheet in Sheet if _FOR.get(sheet, page.member.roles) & page.member.roles]
    return [Beside(sheet, f"/administration/{sheet.value}") for sheet in mine]


async def _of_the_tree(page: Own) -> OwnPage:
    page.require(*OF_THE_TREE)
    return page


async def _system(page: Own) -> OwnPage:
    page.require(Role.SYSTEM_ADMINISTRATOR)
    return page


async def _leader(page: Own) -> OwnPage:
    page.require(Role.GROUP_LEADER)
    return page


OfTheTree = Annotated[OwnPage, Depends(_of_the_tree)]
SystemAdministrator = Annotated[OwnPage, Depends(_system)]
GroupLeader = Annotated[OwnPage, Depends(_leader)]


@contextmanager
def told() -> Iterator[None]:
    """Tells a refusal of a change as the page's own.  Raises `Problem`."""
    try:
        yield
    except (ChangeRefused, DelegationRefused, CallbackRefused) as error:
        problem = refused(error.rule)
    except Overtaken:
        problem = Problem("changed-meanwhile")
    except NoSuchReceiver:
        problem = Problem("not-found")
    else:
        return
    raise problem
