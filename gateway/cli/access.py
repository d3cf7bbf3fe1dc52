"""
`shuniu access`: the kinds of work order, the policies, and why a lookup would be refused.
"""

from typing import Annotated

import typer

from gateway.access.catalogue import Catalogue, Kind
from gateway.access.policy import Policies
from gateway.cli import client
from gateway.cli.console import Exit, as_document, show
from gateway.cli.folding_table import FoldingTable
from gateway.cli.options import DEFAULT_HUB, HubAddress, IdTypeOption, Json
from gateway.settings import Settings
from schemas.codes import IdType, Want

access_app = typer.Typer(no_args_is_help=True, help="Who may look up whom, and why.")


@access_app.command("kinds")
def access_kinds(
    court: Annotated[str, typer.Option(help="as this court has narrowed them")] = "", *, json_output: Json = False
) -> None:
    """
    List the kinds of work order and what each grants.

    Example: shuniu access kinds --court 浙0802
    """
    catalogue = Catalogue.load(overrides=Settings().kinds)
    kinds = [catalogue.kind(court, name) or kind for name, kind in catalogue.kinds.items()]
    if json_output:
        as_document([_document(kind) for kind in kinds])
        return
    table = FoldingTable("kind", "", "start", "lasts", "questions", "second person", "lookups")
    for kind in kinds:
        second = "yes" if kind.second_person else ""
        lookups = ", ".join(want.value for want in kind.scopes)
        lasts = f"{kind.lasts.days} d" if kind.lasts.days else f"{kind.lasts.seconds // 3600} h"
        names = f"{kind.zh}\n{kind.en}"
        table.add_row(kind.id, names, kind.trigger or kind.start.en, lasts, str(kind.questions), second, lookups)
    show.print(table)


def _document(kind: Kind) -> dict[str, object]:
    return {
        "kind": kind.id,
        "zh": kind.zh,
        "en": kind.en,
        "start": kind.start.value,
        "trigger": kind.trigger,
        "lasts_seconds": int(kind.lasts.total_seconds()),
        "questions": kind.questions,
        "second_person": kind.second_person,
        "lookups": {
            want.value: {
                "fields": sorted(scope.fields),
                "masks": dict(scope.masks),
            }
            for want, scope in kind.scopes.items()
        },
    }


@access_app.command("policies")
def access_policies() -> None:
    """
    Print the policies by which every lookup is judged, as they are in force in this version.

    Example: shuniu access policies
    """
    policies = Policies.load()
    show.print(policies.text, markup=False, highlight=False)
    show.print(f"// sha256 {policies.digest}", markup=False, highlight=False)


@access_app.command("explain")
def access_explain(
    work_order: Annotated[str, typer.Argument(help="number of the work order")],
    id_type: IdTypeOption = IdType.RESIDENT_ID,
    want: Annotated[list[Want] | None, typer.Option(help="what would be asked (repeatable; default: all)")] = None,
    *,
    hub: HubAddress = DEFAULT_HUB,
    json_output: Json = False,
) -> None:
    """
    Say whether a lookup would be permitted, and if not by which rule, and who can change that.  Asks no agency.

    Exit codes: 0 permitted, 5 refused.  Example: shuniu access explain W-2026-01877 < subject.txt
    """
    answer = client.call(hub, "POST", "/v1/access/explain", client.read_question(work_order, id_type, want))
    if json_output:
        as_document(answer)
    else:
        for rule in answer["rules"]:
            if rule["refuses"]:
                show.print(f"refused by {rule['rule']}: {rule['en']}\n  {rule['zh']}", markup=False)
        show.print("permitted" if answer["permitted"] else "refused", style="bold")
    if not answer["permitted"]:
        raise typer.Exit(Exit.NOT_PERMITTED)
