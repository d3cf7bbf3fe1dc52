"""
`shuniu lookup`: one lookup about a party of a work order.
"""

from typing import Annotated

import typer

from gateway.cli import client, render
from gateway.cli.console import Exit, as_document, show
from gateway.cli.options import DEFAULT_HUB, HubAddress, IdTypeOption, Json
from schemas.codes import AnswerState, IdType, Want


def lookup(
    work_order: Annotated[str, typer.Argument(help="number of an open work order that you hold")],
    id_type: IdTypeOption = IdType.RESIDENT_ID,
    want: Annotated[list[Want] | None, typer.Option(help="what to ask for (repeatable; default: everything)")] = None,
    *,
    hub: HubAddress = DEFAULT_HUB,
    json_output: Json = False,
) -> None:
    """
    Look up a party of a work order.  The identifier is read from stdin or a prompt, never from an argument.

    Example: shuniu lookup W-2026-01877 < subject.txt
    """
    answer = client.call(hub, "POST", "/v1/lookups", client.read_question(work_order, id_type, want))
    if json_output:
        as_document(answer)
    else:
        show.print(render.result(answer))
    if any(agency["state"] == AnswerState.UNAVAILABLE.value for agency in answer.get("answers", ())):
        raise typer.Exit(Exit.AGENCY_UNAVAILABLE)
