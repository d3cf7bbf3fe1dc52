"""
Delegations over HTTP: a group leader, or the absent person, names a deputy for their work orders and its period.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, StringConstraints

from gateway.api.dependencies import CurrentMember, MemberActor, TheHub, json_body, no_store
from gateway.api.problems import CHANGING, READING, WITH_BODY, Problem, documented
from gateway.api.validation_errors import RequestModel
from gateway.organization.delegations import Delegation
from gateway.organization.people import MAX_USER_LENGTH, USER_ID

router = APIRouter(prefix="/v1/delegations", tags=["organization"], dependencies=[Depends(no_store)])

UserId = Annotated[str, StringConstraints(pattern=USER_ID, max_length=MAX_USER_LENGTH)]


class DelegationBody(RequestModel):
    """A delegation: who stands in for whom, from when until when (with an offset from UTC)."""

    absent: UserId
    deputy: UserId
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class SeenDelegation(BaseModel):
    """A delegation; `audit` is the index of its record, in the answer to its creation."""

    id: UUID
    absent: str
    deputy: str
    starts_at: datetime
    ends_at: datetime
    audit: int | None = None


@router.post(
    "",
    operation_id="delegate",
    status_code=201,
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def delegate(body: DelegationBody, member: CurrentMember, actor: MemberActor, hub: TheHub) -> SeenDelegation:
    """
    Lets one member of a group stand in for another of the same group, for at most 30 days.
    """
    return _seen(*await hub.delegations.create(member, actor, **body.model_dump()))


@router.get("", operation_id="list_delegations", responses=documented(*READING))
async def list_delegations(member: CurrentMember, hub: TheHub) -> list[SeenDelegation]:
    """The delegations that are not over and concern the caller, or the group that they lead."""
    return [_seen(delegation) for delegation in await hub.delegations.list_for(member)]


@router.delete(
    "/{delegation}",
    operation_id="end_delegation",
    status_code=204,
    response_class=Response,
    responses=documented(*CHANGING, "not-found"),
)
async def end_delegation(delegation: UUID, member: CurrentMember, actor: MemberActor, hub: TheHub) -> None:
    """Ends it now, by either of the two or their group leader; no answer is released on its strength any more."""
    if not await hub.delegations.end(member, actor, delegation):
        raise Problem("not-found")


def _seen(delegation: Delegation, audit: int | None = None) -> SeenDelegation:
    names = ("id", "absent", "deputy", "starts_at", "ends_at")
    return SeenDelegation(**{name: getattr(delegation, name) for name in names}, audit=audit)
