"""
The commands of `shuniu`.
"""

import platform
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adapters.errors import ConfigurationError
from gateway.cli import client, render
from gateway.cli.access import access_app
from gateway.cli.agencies import agencies_app
from gateway.cli.audit import audit_app
from gateway.cli.autofill import autofill_app
from gateway.cli.callbacks import callbacks_app
from gateway.cli.console import Exit, announce, as_document, fail, say, show
from gateway.cli.forms import forms_app
from gateway.cli.options import DEFAULT_HUB, HubAddress, Json
from gateway.cli.org import org_app
from gateway.cli.systemd import tell_ready
from gateway.cli.worker import worker
from gateway.demo import tour, tree, world
from gateway.provisioning import APPLICATION_ROLE, bundled_database, create_keys, create_tables
from gateway.server import HubServer, StartFailed, bind
from gateway.settings import Settings
from gateway.sign_on.mtls import tls_context
from gateway.telemetry import logs
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

DEMO_FOLDER = Path("var/demo")


def main() -> None:
    """Runs the command line; why a hub could not start, or not as configured, is a sentence and not a traceback."""
    problem = ""
    try:
        app()
    except (ConfigurationError, StartFailed) as error:
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
def serve(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="bring mock agencies and sign-on along")] = False,
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
) -> None:
    """
    Serve the hub over HTTP until Ctrl-C or SIGTERM; what is in flight is answered first.

    Example: shuniu serve --demo
    """
    with ExitStack() as stack:
        if demo:
            outside = stack.enter_context(world.started())
            settings = world.settings_of(outside, DEMO_FOLDER, port=8080)
            if not settings.key_folder.exists():
                create_keys(settings)
        else:
            settings = Settings()
        if settings.database_url is None:
            settings = stack.enter_context(bundled_database(settings, create=demo))
        if demo:
            tree.settle(settings)
        listener = stack.enter_context(bind(settings.host, settings.port if port is None else port))
        tls = tls_context(settings)
        address = f"{'http' if tls is None else 'https'}://{settings.host}:{listener.getsockname()[1]}"
        lines = stack.enter_context(closing(logs.set_up(settings.log_format, settings.log_level)))

        def tell() -> None:
            announce("serving", f"Shuniu serves at {address} (its API: {address}/docs)", lines)
            if demo:
                _tell_demo(address, settings)
            tell_ready()

        HubServer(settings, tls).serve_at(listener, when_ready=tell)


def _tell_demo(address: str, settings: Settings) -> None:
    say.print(f"Sign-on server: {settings.sign_on_issuer}", markup=False)
    say.print(f"In a browser: {address}/ (li.ting is a clerk, chen.jing an auditor)", markup=False)
    say.print(
        "In another terminal:\n"
        f"  export SHUNIU_HUB={address} SHUNIU_ISSUER={settings.sign_on_issuer} SHUNIU_AGENCIES={settings.agencies}\n"
        "  export SHUNIU_TOKEN=$(shuniu token li.ting)\n"
        "  shuniu agencies list",
        markup=False,
    )


@app.command()
def demo(*, json_output: Json = False) -> None:
    """
    Show the main job: a clerk gets answers from three agencies, and the log shows every one.

    Example: shuniu demo
    """
    story = tour.run()
    if json_output:
        as_document(asdict(story))


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
    if any(one["state"] == AnswerState.UNAVAILABLE.value for one in answer["agencies"]):
        raise typer.Exit(Exit.AGENCY_UNAVAILABLE)


@app.command()
def token(
    user: Annotated[str, typer.Argument(help="a synthetic member of staff, or a client with --client")],
    *,
    client_token: Annotated[bool, typer.Option("--client", help="for a service client")] = False,
    issuer: Annotated[str, typer.Option(envvar="SHUNIU_ISSUER", help="the demo's sign-on server")] = "",
) -> None:
    """
    Print an access token of the demo's sign-on server (demo only).

    Example: export SHUNIU_TOKEN=$(shuniu token li.ting)
    """
    if not issuer:
        fail("Name the demo's sign-on server: set SHUNIU_ISSUER as `shuniu serve --demo` prints it.", Exit.USAGE)
    outside = world.World(addresses={}, issuer=issuer)
    sys.stdout.write(outside.token(**{"client" if client_token else "user": user}) + "\n")


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
