"""
The commands of `shuniu` that need no demo; `gateway.__main__` adds the others.
"""

import platform
import sys
from typing import Annotated

import typer

from adapters.errors import ConfigurationError
from audit.errors import AuditError, AuditUnavailable, LogConfigurationError
from gateway.cli import client, render
from gateway.cli.access import access_app
from gateway.cli.agencies import agencies_app
from gateway.cli.audit import audit_app
from gateway.cli.autofill import autofill_app
from gateway.cli.callbacks import callbacks_app
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.forms import forms_app
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.cli.org import org_app
from gateway.cli.worker import worker
from gateway.provisioning import APPLICATION_ROLE, bundled_database, create_keys, create_tables
from gateway.settings import Settings
from gateway.telemetry.service import VERSION
from schemas.codes import AnswerState, IdType, Want

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="The data-exchange gateway of a court.")
database_app = typer.Typer(no_args_is_help=True, help="The hub's database.")
app.add_typer(agencies_app, name="agencies")
app.add_typer(audit_app, name="audit")
app.add_typer(autofill_app, name="autofill")
app.add_typer(forms_app, name="forms")
app.command()(worker)
app.add_typer(access_app, name="access")
app.add_typer(callbacks_app, name="callbacks")
app.add_typer(database_app, name="database")
app.add_typer(org_app, name="org")


def main() -> None:
    """Runs the command line; why a hub could not start, or not as configured, is a sentence and not a traceback."""
    problem = ""
    try:
        app()
    except AuditUnavailable as error:
        problem = f"{error}: see that PostgreSQL runs and that SHUNIU_DATABASE_URL names it"
    except (ConfigurationError, LogConfigurationError, AuditError) as error:
        problem = str(error)
    if problem:
        say.print(problem, style="bold red", markup=False)
        sys.exit(Exit.FAILED)


def _tell_version(wanted: bool) -> None:
    if wanted:
        show.print(f"shuniu {VERSION} (Python {platform.python_version()})", markup=False)
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The data-exchange gateway of a court."""


@app.command()
def init() -> None:
    """
    Make a new installation in SHUNIU_FOLDER: keys, bundled database, empty log.

    Example: SHUNIU_FOLDER=/srv/shuniu shuniu init
    """
    settings = Settings()
    folder = create_keys(settings)
    say.print(f"Keys made in {folder}. Back them up apart from the database.", markup=False)
    if settings.database_url is None:
        with bundled_database(settings, create=True):
            say.print(f"Database made in {settings.folder}.", markup=False)


@app.command()
def lookup(
    work_order: Annotated[str, typer.Argument(help="number of an open work order that you hold")],
    id_type: Annotated[IdType, typer.Option(help="type of the identifier")] = IdType.RESIDENT_ID,
    want: Annotated[list[Want] | None, typer.Option(help="what to ask for (repeatable; default: everything)")] = None,
    *,
    hub: HubAddress = DEFAULT_HUB,
    json_output: Json = False,
) -> None:
    """
    Look up a party of a work order.  The identifier is read from stdin or a prompt, never from an argument.

    Example: shuniu lookup W-2026-01877 < subject.txt
    """
    number = client.secret_input("Identifier")
    body = {
        "work_order": work_order,
        "subject": {
            "kind": id_type.of.value,
            "id_type": id_type.value,
            "id_number": number,
        },
        "want": [one.value for one in want or list(Want)],
    }
    answer = client.call(hub, "POST", "/v1/lookups", body)
    if json_output:
        as_document(answer)
    else:
        show.print(render.result(answer))
    if any(one["state"] == AnswerState.UNAVAILABLE.value for one in answer["answers"]):
        raise typer.Exit(Exit.AGENCY_UNAVAILABLE)


@database_app.command("migrate")
def database_migrate(
    application: Annotated[str, typer.Option(help="login role of the hub")] = APPLICATION_ROLE,
) -> None:
    """
    Bring the database of SHUNIU_OWNER_URL to this version; safe to repeat.

    Example: SHUNIU_OWNER_URL=postgresql+psycopg://owner@db/shuniu shuniu database migrate
    """
    settings = Settings()
    if not settings.owner_url:
        fail("Set SHUNIU_OWNER_URL to the database as the owner of its tables.", Exit.USAGE)
    create_tables(settings.owner_url, origin=settings.origin, application=application, schema=settings.audit_schema)
    say.print("The database is at the newest version.", markup=False)
