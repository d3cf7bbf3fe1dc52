"""
The court's tree over HTTP: everybody sees and changes what is below their own place, and nothing else exists for them.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.members import AMember, not_kept, refused, who
from gateway.api.problems import Problem, documented
from gateway.hub import Hub
from gateway.organization.change_plan import ChangeRefused, Proposal
from gateway.organization.people import MAX_USER_LENGTH, USER_ID, Member, Particulars, StaffAccount
from gateway.organization.permissions import visible_below
from gateway.organization.proposals import PersonProposal, SwitchOff, UnitProposal
from gateway.organization.roles import Role
from gateway.organization.service import ConcurrentChange
from gateway.organization.tree import MAX_ID_LENGTH, MAX_NAME_LENGTH, Unit, UnitKind
from gateway.sign_on import Caller

router = APIRouter(prefix="/v1/organization", tags=["organization"], dependencies=[Depends(not_kept)])

READING = ("not-signed-in", "sign-on-unavailable", "not-permitted", "database-unavailable", "internal")
CHANGING = (*READING, "changed-meanwhile", "invalid-input", "audit-unavailable")
WITH_BODY = (*CHANGING, "body-too-large", "wrong-content-type", "busy")

UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=MAX_ID_LENGTH)]
UserId = Annotated[str, StringConstraints(pattern=USER_ID, max_length=MAX_USER_LENGTH)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH)]
CourtCode = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class _OrganizationBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """Nothing: the body tells of people."""
        return ()


class UnitBody(_OrganizationBody):
    """A centre below a court, or a group below a centre."""

    parent: UnitId
    kind: Literal["centre", "group"]
    zh: Label
    en: Label


class OfficialBody(_OrganizationBody):
    """What agencies demand to know of an acting official: all of it."""

    id_number: Annotated[str, StringConstraints(min_length=15, max_length=24)]
    unit_code: Annotated[str, StringConstraints(min_length=18, max_length=24)]
    unit_name: Label
    terminal: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PersonBody(_OrganizationBody):
    """A person of the unit's court.  A member that is left out stays as it is; a new person has a name."""

    unit: UnitId
    roles: Annotated[list[Role], Field(max_length=len(Role))] | None = None
    name: Label | None = None
    official: OfficialBody | None = None


class SeenUnit(BaseModel):
    """A unit of the tree."""

    id: str
    parent: str | None
    kind: UnitKind
    court: str | None
    zh: str
    en: str


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
    """The part of the tree that the caller sees."""

    units: list[SeenUnit]
    people: list[SeenPerson]


class ChangeReceipt(BaseModel):
    """What came of a change: the index of its record, or `replayed` when exactly this stood already."""

    audit: int | None
    replayed: bool


@router.get("", operation_id="read_organization", responses=documented(*READING))
async def read_organization(member: AMember, hub: TheHub) -> SeenOrganization:
    """
    The caller's own part of the tree: what they look after, or else their own entry.
    """
    units, people = await hub.organization.export(below=member.position.id)
    if not visible_below(member):
        units = [unit for unit in units if unit.id == member.position.id]
        people = [one for one in people if (one.court, one.user) == (member.court, member.user)]
    return SeenOrganization(units=[_unit(unit) for unit in units], people=[_person(one) for one in people])


@router.put(
    "/units/{unit}",
    operation_id="change_unit",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def change_unit(
    unit: Annotated[UnitId, Path()], body: UnitBody, caller: Signed, member: AMember, hub: TheHub
) -> ChangeReceipt:
    """Makes, renames or moves a centre or group below the caller's own place."""
    proposal = UnitProposal(id=unit, parent=body.parent, kind=UnitKind(body.kind), zh=body.zh, en=body.en)
    return await _changed(hub, caller, member, proposal)


@router.put(
    "/people/{user}",
    operation_id="change_person",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def change_person(
    user: Annotated[UserId, Path()], body: PersonBody, caller: Signed, member: AMember, hub: TheHub
) -> ChangeReceipt:
    """Enters a person, moves them, gives and takes roles, below the caller's own place and as their office allows."""
    proposal = PersonProposal(
        encryption=hub.organization.encryption,
        user=user,
        unit=body.unit,
        roles=None if body.roles is None else frozenset(body.roles),
        name=body.name,
        official=None if body.official is None else Particulars(**body.official.model_dump()),
    )
    return await _changed(hub, caller, member, proposal)


@router.delete("/people/{user}", operation_id="switch_off_person", responses=documented(*CHANGING))
async def switch_off_person(
    user: Annotated[UserId, Path()],
    caller: Signed,
    member: AMember,
    hub: TheHub,
    court: Annotated[
        CourtCode | None, Query(description="code of the person's court; the caller's unless told")
    ] = None,
) -> ChangeReceipt:
    """Switches an account off at once, and takes its roles; the entry stays."""
    proposal = SwitchOff(encryption=hub.organization.encryption, court=court or caller.court, user=user)
    return await _changed(hub, caller, member, proposal)


async def _changed(hub: Hub, caller: Caller, member: Member, proposal: Proposal) -> ChangeReceipt:
    try:
        index = await hub.organization.change(member, who(caller, member), proposal)
    except ChangeRefused as error:
        rule = error.rule
    except ConcurrentChange:
        rule = None
    else:
        return ChangeReceipt(audit=index, replayed=index is None)
    if rule is None:
        raise Problem("changed-meanwhile")
    raise refused(rule)


def _unit(unit: Unit) -> SeenUnit:
    return SeenUnit(id=unit.id, parent=unit.parent, kind=unit.kind, court=unit.court, zh=unit.zh, en=unit.en)


def _person(one: StaffAccount) -> SeenPerson:
    return SeenPerson(
        court=one.court,
        user=one.user,
        unit=one.unit,
        roles=sorted(one.roles),
        active=one.active,
        name=one.name,
        official=one.official is not None,
    )
