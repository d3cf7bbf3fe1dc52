"""
The court's tree over HTTP: members see and change the part below their own place, and nothing else.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from audit.format.event import Actor
from gateway.api.dependencies import CurrentMember, MemberActor, TheHub, json_body, no_store
from gateway.api.problems import CHANGING, READING, WITH_BODY, documented
from gateway.api.validation_errors import RequestModel
from gateway.hub import Hub
from gateway.organization.change_plan import Proposal
from gateway.organization.people import MAX_USER_LENGTH, USER_ID, Member, Particulars, StaffAccount
from gateway.organization.permissions import visible_below
from gateway.organization.proposals import PersonProposal, SwitchOff, UnitProposal
from gateway.organization.roles import Role
from gateway.organization.tree import MAX_ID_LENGTH, MAX_NAME_LENGTH, Unit, UnitKind

router = APIRouter(prefix="/v1/organization", tags=["organization"], dependencies=[Depends(no_store)])

UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=MAX_ID_LENGTH)]
UserId = Annotated[str, StringConstraints(pattern=USER_ID, max_length=MAX_USER_LENGTH)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH)]
CourtCode = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class UnitBody(RequestModel):
    """A centre below a court, or a group below a centre."""

    parent: UnitId
    kind: Literal["centre", "group"]
    zh: Label
    en: Label


class OfficialBody(RequestModel):
    """The particulars of an acting official that agencies demand, all of them."""

    id_number: Annotated[str, StringConstraints(min_length=15, max_length=24)]
    unit_code: Annotated[str, StringConstraints(min_length=18, max_length=24)]
    unit_name: Label
    terminal: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PersonBody(RequestModel):
    """A person of the unit's court.  A member that is left out stays as it is; a new person has a name."""

    unit: UnitId
    roles: Annotated[list[Role], Field(max_length=len(Role))] | None = None
    name: Label | None = None
    official: OfficialBody | None = None


class SeenPerson(BaseModel):
    """A person of the tree; `official` says whether an agency can be told all that it demands."""

    court: str
    user: str
    unit: str
    roles: list[Role]
    active: bool
    name: str
    official: bool


class SeenOrganization(BaseModel):
    """The part of the tree that the caller may see."""

    units: list[Unit]
    people: list[SeenPerson]


class ChangeReceipt(BaseModel):
    """The index of a change's record, or `replayed` if nothing had to change."""

    audit: int | None
    replayed: bool


@router.get("", operation_id="read_organization", responses=documented(*READING))
async def read_organization(member: CurrentMember, hub: TheHub) -> SeenOrganization:
    """
    The caller's part of the tree: the part that they administer, or else their own entry.
    """
    units, people = await visible_part(member, hub)
    return SeenOrganization(units=list(units), people=[_person(person) for person in people])


@router.put(
    "/units/{unit}",
    operation_id="change_unit",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "changed-meanwhile"),
)
async def change_unit(
    unit: Annotated[UnitId, Path()], body: UnitBody, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> ChangeReceipt:
    """Creates, renames or moves a centre or group below the caller's own place."""
    proposal = UnitProposal(id=unit, parent=body.parent, kind=UnitKind(body.kind), zh=body.zh, en=body.en)
    return await _change(hub, member, actor, proposal)


@router.put(
    "/people/{user}",
    operation_id="change_person",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "changed-meanwhile"),
)
async def change_person(
    user: Annotated[UserId, Path()], body: PersonBody, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> ChangeReceipt:
    """Enters or moves a person, grants and revokes roles, below the caller's own place and as their role allows."""
    proposal = PersonProposal(
        encryption=hub.organization.encryption,
        user=user,
        unit=body.unit,
        roles=None if body.roles is None else frozenset(body.roles),
        name=body.name,
        official=None if body.official is None else Particulars(**body.official.model_dump()),
    )
    return await _change(hub, member, actor, proposal)


@router.delete("/people/{user}", operation_id="switch_off_person", responses=documented(*CHANGING, "changed-meanwhile"))
async def switch_off_person(
    user: Annotated[UserId, Path()],
    member: CurrentMember,
    actor: MemberActor,
    hub: TheHub,
    court: Annotated[
        CourtCode | None, Query(description="code of the person's court; the caller's unless told")
    ] = None,
) -> ChangeReceipt:
    """Deactivates an account at once, and revokes its roles; the entry stays."""
    proposal = SwitchOff(encryption=hub.organization.encryption, court=court or member.court, user=user)
    return await _change(hub, member, actor, proposal)


async def visible_part(member: Member, hub: Hub) -> tuple[Sequence[Unit], Sequence[StaffAccount]]:
    """The units and people that a member may see."""
    units, people = await hub.organization.export(below=member.position.id)
    if visible_below(member):
        return units, people
    own = (member.court, member.user)
    return (
        [unit for unit in units if unit.id == member.position.id],
        [person for person in people if (person.court, person.user) == own],
    )


async def _change(hub: Hub, member: Member, actor: Actor, proposal: Proposal) -> ChangeReceipt:
    index = await hub.organization.change(member, actor, proposal)
    return ChangeReceipt(audit=index, replayed=index is None)


def _person(person: StaffAccount) -> SeenPerson:
    names = ("court", "user", "unit", "active", "name")
    return SeenPerson(
        **{name: getattr(person, name) for name in names},
        roles=sorted(person.roles),
        official=person.official is not None,
    )
