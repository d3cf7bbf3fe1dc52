"""
The reader's part of the court's tree, and the changes that their roles allow; each change is recorded.

People are named in the body of a form and never in an address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form
from pydantic import Field
from starlette.responses import Response

from gateway.api.dependencies import TheHub
from gateway.api.organization import visible_part
from gateway.api.validation_errors import RequestModel
from gateway.hub import Hub
from gateway.organization.change_plan import Proposal
from gateway.organization.people import MAX_USER_LENGTH, USER_ID, StaffAccount
from gateway.organization.permissions import holds_office
from gateway.organization.proposals import PersonProposal, SwitchOff, UnitProposal
from gateway.organization.roles import Role
from gateway.organization.tree import MAX_ID_LENGTH, MAX_NAME_LENGTH, Unit, UnitKind
from gateway.web.administration.common import Done, DoneNotice, DoneRecord, OfTheTree, after, navigation, shown_in_form
from gateway.web.console.common import Blank, acting
from gateway.web.i18n import word
from gateway.web.page import OwnPage, see_other

router = APIRouter(prefix="/administration", include_in_schema=False)

PATH: Final = "/administration/tree"
UnitId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=MAX_ID_LENGTH)]
UserId = Annotated[str, Field(pattern=USER_ID, max_length=MAX_USER_LENGTH)]
Label = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]


@dataclass(frozen=True, slots=True)
class Branch:
    """A unit with its people and the units below it."""

    unit: Unit
    people: Sequence[StaffAccount]
    below: Sequence["Branch"]


class _Form(RequestModel):
    csrf_token: str = ""


class PersonForm(_Form):
    """A person's unit, roles and name; an empty name stays, and so do roles that were not shown."""

    user: UserId
    unit: UnitId
    name: Annotated[Label | None, Blank] = None
    with_roles: bool = False
    roles: tuple[Role, ...] = ()


class OffForm(_Form):
    """The account to deactivate."""

    user: UserId
    court: Annotated[str, Field(min_length=1, max_length=16)]


class UnitForm(_Form):
    """A centre below a court, or a group below a centre."""

    id: UnitId
    parent: UnitId
    kind: Literal["centre", "group"]
    zh: Label
    en: Label


@router.get("")
async def first(_page: OfTheTree) -> Response:
    """Redirects to the first page of the administration."""
    return see_other(PATH)


@router.get("/tree")
async def tree(page: OfTheTree, hub: TheHub, done: DoneNotice = None, record: DoneRecord = None) -> Response:
    """The reader's part of the tree."""
    return await _tree(page, hub, done=done, record=record)


async def _tree(page: OwnPage, hub: Hub, *, status: int = 200, **values: Any) -> Response:
    member = page.member
    units, people = await visible_part(member, hub)
    return page.show(
        "administration/tree.html",
        status=status,
        navigation=navigation(page),
        trunk=_branches(units, people, member.position.id),
        units=units,
        choices=[(unit.id, word(page.language, unit)) for unit in units],
        changes=holds_office(member),
        roles=list(Role),
        **{"typed": None, **values},
    )


@router.post("/tree/people")
async def change_person(page: OfTheTree, hub: TheHub, form: Annotated[PersonForm, Form()]) -> Response:
    """Enters, moves or renames a person, grants and revokes roles, within the reader's rights."""
    return await _changed(
        page,
        hub,
        form,
        PersonProposal(
            encryption=hub.organization.encryption,
            user=form.user,
            unit=form.unit,
            roles=frozenset(form.roles) if form.with_roles else None,
            name=form.name,
        ),
    )


@router.post("/tree/off")
async def switch_off(page: OfTheTree, hub: TheHub, form: Annotated[OffForm, Form()]) -> Response:
    """Deactivates an account at once."""
    return await _changed(
        page, hub, form, SwitchOff(encryption=hub.organization.encryption, court=form.court, user=form.user)
    )


@router.post("/tree/units")
async def change_unit(page: OfTheTree, hub: TheHub, form: Annotated[UnitForm, Form()]) -> Response:
    """Creates, renames or moves a centre or a group."""
    return await _changed(
        page, hub, form, UnitProposal(id=form.id, parent=form.parent, kind=UnitKind(form.kind), zh=form.zh, en=form.en)
    )


async def _changed(page: OwnPage, hub: Hub, form: _Form, proposal: Proposal) -> Response:
    async def again(problem: dict[str, Any], status: int) -> Response:
        return await _tree(page, hub, status=status, problem=problem, typed=form)

    with shown_in_form(page, again):
        index = await hub.organization.change(page.member, acting(page), proposal)
    return after(PATH, Done.UNCHANGED if index is None else Done.CHANGED, index)


def _branches(units: Sequence[Unit], people: Sequence[StaffAccount], top: str) -> list[Branch]:
    seats: dict[str, list[StaffAccount]] = {}
    for person in people:
        seats.setdefault(person.unit, []).append(person)
    children: dict[str | None, list[Unit]] = {}
    for unit in units:
        children.setdefault(None if unit.id == top else unit.parent, []).append(unit)
    return _below(None, children, seats)


def _below(
    parent: str | None, children: Mapping[str | None, Sequence[Unit]], seats: Mapping[str, Sequence[StaffAccount]]
) -> list[Branch]:
    return [Branch(unit, seats.get(unit.id, ()), _below(unit.id, children, seats)) for unit in children.get(parent, ())]
