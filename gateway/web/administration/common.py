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
from gateway.web.page import OwnPage, requires, see_other
from schemas.codes import Code


class AdministrationPage(Code):
    """The administration pages."""

    TREE = "tree", "组织架构", "The court's tree"
    DELEGATIONS = "deputies", "代理", "Standing in"
    KINDS = "kinds", "工单种类", "Kinds of work order"
    AGENCIES = "agencies", "外部单位", "Agencies"
    CALLBACKS = "callbacks", "回调", "Callbacks"
    HEALTH = "health", "日志与密钥", "Log and keys"


class Done(Code):
    """The notice after a change."""

    CHANGED = "changed", "变更已生效。", "The change is made."
    UNCHANGED = "unchanged", "内容与现状相同，未作变更。", "Everything stands so already; nothing was changed."
    ARRANGED = "arranged", "代理已安排。", "The arrangement is made."
    ENDED = "ended", "代理已结束。", "The arrangement is ended."
    PAUSED = "paused", "已暂停向该接收方推送。", "The receiver is paused."
    RESUMED = "resumed", "已恢复向该接收方推送。", "The receiver is told again."
    TAKEN_UP = "taken_up", "死信已重新投递。", "The dead letters are taken up again."
    NONE_TAKEN_UP = "none_taken_up", "该接收方没有死信。", "The receiver has no dead letters."


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A link to an administration page."""

    page: AdministrationPage
    address: str


_ROLES: Final = {
    AdministrationPage.CALLBACKS: frozenset({Role.SYSTEM_ADMINISTRATOR}),
    AdministrationPage.DELEGATIONS: frozenset({Role.GROUP_LEADER}),
}


def navigation(page: OwnPage) -> list[NavigationLink]:
    """Links to the administration pages that the reader may enter."""
    roles = page.member.roles
    allowed = [target for target in AdministrationPage if _ROLES.get(target, roles) & roles]
    return [NavigationLink(target, f"/administration/{target.value}") for target in allowed]


OfTheTree = Annotated[OwnPage, Depends(requires(*OF_THE_TREE))]
SystemAdministrator = Annotated[OwnPage, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]
GroupLeader = Annotated[OwnPage, Depends(requires(Role.GROUP_LEADER))]


# The change before this page: its notice and its record.
DoneNotice = Annotated[Done | None, Query()]
DoneRecord = Annotated[int | None, Query(ge=0, le=2**62)]


def after(path: str, done: Done, record: int | None = None) -> Response:
    """Redirects to the page with the notice of a change; no address names people."""
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
