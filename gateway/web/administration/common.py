"""
Shared parts of the administration pages: access by role, navigation, notices of changes, refused forms.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query
from starlette.responses import Response

from gateway.callbacks.receivers import CallbackRefused, ReceiverNotFound
from gateway.organization.change_plan import ChangeRefused
from gateway.organization.delegations import DelegationRefused
from gateway.organization.roles import Role
from gateway.organization.service import ConcurrentChange
from gateway.web.error_pages import FormPage
from gateway.web.navigation import OF_THE_TREE
from gateway.web.page import Own, OwnPage, see_other
from schemas.codes import Code


class Sheet(Code):
    """The pages of administration."""

    TREE = "tree", "组织架构", "The court's tree"
    DEPUTIES = "deputies", "代理", "Standing in"
    KINDS = "kinds", "工单种类", "Kinds of work order"
    AGENCIES = "agencies", "外部单位", "Agencies"
    CALLBACKS = "callbacks", "回调", "Callbacks"
    HEALTH = "health", "日志与密钥", "Log and keys"


class Done(Code):
    """What has just been changed, as the page says it that is shown next."""

    CHANGED = "changed", "变更已生效。", "The change is made."
    UNCHANGED = "unchanged", "内容与现状相同，未作变更。", "Everything stands so already; nothing was changed."
    ARRANGED = "arranged", "代理已安排。", "The arrangement is made."
    ENDED = "ended", "代理已结束。", "The arrangement is ended."
    PAUSED = "paused", "已暂停向该接收方推送。", "The receiver is paused."
    RESUMED = "resumed", "已恢复向该接收方推送。", "The receiver is told again."
    TAKEN_UP = "taken_up", "死信已重新投递。", "The dead letters are taken up again."
    NONE_TAKEN_UP = "none_taken_up", "该接收方没有死信。", "The receiver has no dead letters."


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


# What a page is told of the change that led to it: what was done, and its record.
WhatIsDone = Annotated[Done | None, Query()]
ItsRecord = Annotated[int | None, Query(ge=0, le=2**62)]


def after(path: str, done: Done, record: int | None = None) -> Response:
    """Leads back to the page, which says what was done; whom it concerns stands in no address."""
    its = "" if record is None else f"&record={record}"
    return see_other(f"{path}?done={done.value}{its}")


@contextmanager
def shown_in_form(page: OwnPage, form: FormPage) -> Iterator[None]:
    """Has a refusal of a change shown on the page of its form, rendered again by `form`."""
    try:
        yield
    except (ChangeRefused, DelegationRefused, CallbackRefused, ConcurrentChange, ReceiverNotFound):
        page.request.state.form = form
        raise
