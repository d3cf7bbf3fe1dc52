"""
`shuniu org`: the court's tree as a file, in and out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.tree import Tree as Drawing

from audit.errors import AuditError, LogConfigurationError
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.options import Json
from gateway.database import DatabaseUnavailable
from gateway.organization.change_plan import ChangePlan, ChangeRefused
from gateway.organization.import_export import Mistake, OrganizationFile, dump_csv, dump_json, read_organization
from gateway.organization.loading import OPERATOR, open_organization
from gateway.organization.people import StaffAccount
from gateway.organization.service import ConcurrentChange
from gateway.organization.tree import Unit
from gateway.provisioning import bundled_database
from gateway.settings import Settings

T = TypeVar("T")
Rows = tuple[list[Unit], list[StaffAccount]]

org_app = typer.Typer(no_args_is_help=True, help="The court's tree: units, people, roles.")

FORMS = {".json": "json", ".csv": "csv"}


@org_app.command("import")
def org_import(file: Annotated[Path, typer.Argument(help="a .json or .csv file; see docs/organization.md")]) -> None:
    """
    Put the units and people of a file into the tree: all of it, or nothing.  Safe to repeat; the change is recorded.

    Who does not stand in the file stays as they are.  Example: shuniu org import courts.csv
    """
    form = _form(file)
    try:
        content = file.read_bytes()
    except OSError:
        content = None
    if content is None:
        fail(f"{file}: cannot be read", Exit.USAGE)
    read, mistakes = read_organization(content, form=form)
    plan, wrong = _with_tree(lambda settings: _load(settings, read, mistakes))
    if wrong:
        for one in wrong:
            say.print(f"{file}, {one}", markup=False)
        fail(f"Nothing was changed: {len(wrong)} mistakes in {file}.", Exit.USAGE)
    say.print(f"{len(plan.new_units)} units and {len(plan.new_people)} people are new or changed.", markup=False)


@org_app.command("export")
def org_export(
    file: Annotated[Path, typer.Argument(help="where to: a .json or .csv file; it will hold names")],
) -> None:
    """
    Write the whole tree into a file that `shuniu org import` reads back.  Only its owner can read it.

    Example: shuniu org export courts.json
    """
    write = dump_json if _form(file) == "json" else dump_csv
    units, people = _with_tree(_whole)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(write(units, people), encoding="utf-8")
    say.print(f"{len(units)} units and {len(people)} people in {file}.", markup=False)


@org_app.command("show")
def org_show(*, json_output: Json = False) -> None:
    """
    Show the tree: units, accounts and their roles, without names.

    Example: shuniu org show
    """
    units, people = _with_tree(_whole)
    if json_output:
        as_document([_plain(unit, people) for unit in units])
        return
    drawn: dict[str | None, Drawing] = {None: Drawing("", hide_root=True)}
    for unit in units:
        drawn[unit.id] = drawn[unit.parent].add(f"{unit.zh} ({unit.en})  {unit.id}  {unit.court or ''}")
        for one in _sitting(unit, people):
            drawn[unit.id].add(f"{one.user}  {', '.join(sorted(one.roles)) if one.active else 'switched off'}")
    show.print(drawn[None])


async def _load(
    settings: Settings, file: OrganizationFile, mistakes: list[Mistake]
) -> tuple[ChangePlan, list[Mistake]]:
    async with open_organization(settings) as organization:
        units, _ = await organization.export()
        wrong = sorted([*mistakes, *file.mistakes({unit.id: unit for unit in units})], key=lambda one: one.line)
        return ChangePlan() if wrong else await organization.load(OPERATOR, file.units, file.people), wrong


async def _whole(settings: Settings) -> Rows:
    async with open_organization(settings) as organization:
        return await organization.export()


def _with_tree(work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Runs something with the tree of this installation; the bundled server is started if that is where it is."""
    problem = ""
    with ExitStack() as stack:
        settings = Settings()
        if settings.database_url is None:
            settings = stack.enter_context(bundled_database(settings))
        try:
            return asyncio.run(work(settings))
        except (AuditError, LogConfigurationError) as error:
            problem = str(error)
        except DatabaseUnavailable:
            problem = "the database does not answer; nothing was changed"
        except (ChangeRefused, ConcurrentChange):
            problem = "the tree was changed by somebody else in this moment; nothing was changed. Run this again."
    return fail(problem)


def _form(file: Path) -> str:
    form = FORMS.get(file.suffix.lower())
    return form or fail(f"{file}: name a .json or a .csv file", Exit.USAGE)


def _sitting(unit: Unit, people: Iterable[StaffAccount]) -> list[StaffAccount]:
    return [one for one in people if one.unit == unit.id]


def _plain(unit: Unit, people: Iterable[StaffAccount]) -> dict[str, Any]:
    sitting = [
        {"court": one.court, "user": one.user, "roles": sorted(one.roles), "active": one.active}
        for one in _sitting(unit, people)
    ]
    return {"id": unit.id, "parent": unit.parent, "kind": unit.kind, "court": unit.court, "people": sitting}
